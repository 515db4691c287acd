import os
import sys


def read(names):
    if not names:
        return sys.stdin.read()
    try:
        with open(names[0]) as file:
            return file.read()
    except OSError:
        print(f"cannot read {names[0]}", file=sys.stderr)
        sys.exit(1)


match sys.argv[1:]:
    case ["sum", *names]:
        print(float(sum(float(word) for word in read(names).split())))
    case ["write", name]:
        with open(name, "w") as file:
            file.write(sys.stdin.read())
    case ["remove", name]:
        os.remove(name)
    case ["note", word]:
        with open("notes.txt", "a") as file:
            file.write(word + "\n")
    case ["notes"]:
        if os.path.exists("notes.txt"):
            sys.stdout.write(read(["notes.txt"]))
    case ["list"]:
        for name in sorted(os.listdir(".")):
            print(name)
    case ["mkdir", name]:
        os.mkdir(name)
    case ["rmdir", name]:
        os.rmdir(name)
    case ["copy", source, target]:
        with open(source, "rb") as file:
            content = file.read()
        with open(target, "wb") as file:
            file.write(content)
    case ["say", *words]:
        print("|".join(words))
    case _:
        sys.exit(2)
