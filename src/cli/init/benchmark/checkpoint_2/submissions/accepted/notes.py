import json
import os
import sys

PLACE = "notes.json"


def load():
    if not os.path.exists(PLACE):
        return []
    with open(PLACE) as file:
        return json.load(file)


def save(notes):
    with open(PLACE, "w") as file:
        json.dump(notes, file)


match sys.argv[1:]:
    case ["add", text]:
        save(load() + [text])
    case ["list"]:
        for note in load():
            print(note)
    case ["remove", text]:
        notes = load()
        if text not in notes:
            sys.exit(1)
        notes.remove(text)
        save(notes)
    case _:
        sys.exit(2)
