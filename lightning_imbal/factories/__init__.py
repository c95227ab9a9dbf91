"""What the program hands to the classes that a configuration or a user names."""
