import json
import os
import sys

PLACE = "notes.json"


def load():
    if not os.path.exists(PLACE):
        return []
    with open(PLACE) as file:
        return json.load(file)


match sys.argv[1:]:
    case ["add", text]:
        notes = load() + [text]
        with open(PLACE, "w") as file:
            json.dump(notes, file)
    case ["list"]:
        for note in load():
            print(note)
    case _:
        sys.exit(2)
