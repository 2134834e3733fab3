"""The lessons' colours: told apart by those who see no red or no green, and in grey print."""

BLUE = "#0b5fa5"
RED = "#c8102e"
GREEN = "#2e7d32"
GREY = "#666666"
