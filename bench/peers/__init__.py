"""Others that do the gate's work, as near as each can. Their programs are theirs: nothing of ours imports them."""
