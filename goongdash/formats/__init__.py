"""How each language writes dates and numbers: the names that Django's `date` filter and `number_format` know."""
