"""Reading and writing a file tree exactly: files, folders, links, streams, attributes, times."""
