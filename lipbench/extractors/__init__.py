"""Networks whose features of pictures are compared, one file each; the file's stem is the extractor's name."""
