"""The messages that clients exchange with a model server, as `.proto` files.

They are the project's own text: names and field numbers are those of the public
messages, so that the bytes are, too. Python reads them with `serving.proto.reader`; any
other language with its own compiler.
"""
