"""What is offered goes by the names of parameters."""

from functools import partial

from lightning_imbal.factories.build import build, open_parameters, target_of


class Base:
    def __init__(self, class_counts, tau=1.0):
        self.class_counts, self.tau = class_counts, tau


class HandsOn(Base):
    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight


class Takes(Base):
    def __init__(self, class_counts):
        super().__init__(class_counts)


class Nothing:
    pass


def test_a_class_gets_what_it_has_parameters_for():
    offered = {"labels": 1, "class_counts": 2}
    assert build(Base, **offered).class_counts == build(Takes, **offered).class_counts == 2
    made = build(partial(HandsOn, weight=3), **offered)
    assert (made.class_counts, made.weight, made.tau) == (2, 3, 1.0)
    assert isinstance(build(Nothing, **offered), Nothing)


def test_what_is_given_stays_and_what_is_null_is_filled_in():
    assert build(partial(Base, class_counts=5), class_counts=2).class_counts == 5
    assert build(partial(Base, class_counts=None), class_counts=2).class_counts == 2
    assert open_parameters(partial(HandsOn, tau=2.0)) == {"self", "weight", "class_counts"}
    assert "class_counts" not in open_parameters(Nothing) and open_parameters(lambda counts: counts) == set()


def test_a_function_gets_as_many_as_it_needs():
    offered = {"in_features": 4, "num_classes": 3, "out_features": 3}
    assert build(lambda a: [a], **offered) == [4]
    assert build(lambda a, b, c=0: [a, b, c], **offered) == [4, 3, 0]
    assert build(lambda *values, **names: [values, names], **offered) == [(), {}]


def test_the_class_below_several_partials():
    assert target_of(partial(partial(Base, tau=2.0), tau=3.0)) is Base
    assert target_of(partial(lambda cls, **kwargs: cls(**kwargs), Base)) is Base  # as jsonargparse wraps it
