"""Why a network answered as it did, as a report page shows it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lightning_imbal.report.page.pictures import address


@dataclass(frozen=True)
class Neighbour:
    """A training image that is near to an image, for the network.

    Args:
        image: Its id.
        label: Its class.
        distance: Cosine distance of their features.
    """

    image: str
    label: str
    distance: float


@dataclass(frozen=True)
class Explained:
    """What is known of the answer for an image.

    Args:
        seen: A JPEG file of the picture as the network saw it.
        maps: JPEG files of it below a map, by what each is called.
        nearest: The nearest training images, nearest first.
    """

    seen: bytes = b""
    maps: Mapping[str, bytes] = field(default_factory=dict)
    nearest: Sequence[Neighbour] = ()


@dataclass(frozen=True)
class Explanations:
    """What is known of the mistakes of methods.

    Args:
        of: By method and image.
        remarks: Sentences on what it is, and what it is not.
        pictures: JPEG files of training images, by their ids.
    """

    of: Mapping[str, Mapping[str, Explained]] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    def of_mistake(self, method: str, image: str) -> Explained | None:
        """What is known of a mistake; None if nothing is."""
        return self.of.get(method, {}).get(image)

    @property
    def training_images(self) -> list[str]:
        """The training images that are named, each once."""
        known = [each for images in self.of.values() for each in images.values()]
        return list(dict.fromkeys(near.image for each in known for near in each.nearest))

    def addresses(self) -> dict[str, str]:
        """All pictures, as addresses that hold them, by what the page calls them."""
        named = {key_of_neighbour(name): jpeg for name, jpeg in self.pictures.items()}
        for method, images in self.of.items():
            for image, known in images.items():
                named[key_of_seen(method, image)] = known.seen
                named |= {key_of_map(method, image, name): jpeg for name, jpeg in known.maps.items()}
        return {name: address(jpeg) for name, jpeg in named.items()}

    def nameless(self, called: Callable[[str], str]) -> "Explanations":
        """The nearest training images alone, without pictures and names.

        Args:
            called: What stands in the place of an image's name.
        """

        def hidden(known: Explained) -> Explained:
            return Explained(nearest=[replace(near, image=called(near.image)) for near in known.nearest])

        of = {name: {called(image): hidden(known) for image, known in of.items()} for name, of in self.of.items()}
        return Explanations(of)


def key_of_seen(method: str, image: str) -> str:
    """What the page calls a picture as the network of a method saw it."""
    return f"as {method} saw it: {image}"


def key_of_map(method: str, image: str, name: str) -> str:
    """What the page calls a map."""
    return f"map of {name} by {method}: {image}"


def key_of_neighbour(image: str) -> str:
    """What the page calls the picture of a training image."""
    return f"training image {image}"
