"""Pages of HTML, each complete in one file: of networks, to look through, and of the evidence, to read."""
