"""DICOM files: what their elements mean, in pixels and in headers."""
