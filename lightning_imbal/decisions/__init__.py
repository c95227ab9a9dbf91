"""What is answered, given probabilities: rules that are fitted on validation images, after training and without it."""
