"""What the command says: its parser, its sentences, the list of methods, its closing lines."""
