"""A console for an AT port: what one types goes to the board, what comes back is read by the grammar and explained.

A line goes from the terminal down to the port, and the answer back up:

| module | what it holds |
|---|---|
| `reference` | the commands and codes, as the firmware's own tables say |
| `line` | a line split into its parameters; which of them are secret |
| `conversation` | bytes of the port to items (answer, message, prompt): no time, no port |
| `wire` | the serial device, non-blocking |
| `session` | one command after the other, data phases and files; every wait is bounded |
| `marks`, `record`, `replay` | a session as a text file, and that file as a test |
| `completion`, `view` | what Tab offers, the hint below, colours |
| `dispatch` | what a line is: data, the console's own command, or the board's |
| `prompt`, `script` | the two front ends: a person, a pipe |
| `main` | options |

`grammar.py`, `atport.py` and `board.py` of the serial tests are used, not copied.
"""
