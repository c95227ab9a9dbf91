"""Features that a frozen network has made of all pictures, stored as files."""
