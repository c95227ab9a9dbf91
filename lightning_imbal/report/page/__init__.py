"""The report of finished runs as one HTML page, by plotly."""
