"""Why a trained network answers what it does: where it looks, and which training images are like an image."""
