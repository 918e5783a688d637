"""BabyAI-Text's description of an observation, restated from GLAM's rules (docs: actors/envs/babyai/text.h)."""

TYPES = ["unseen", "empty", "wall", "floor", "door", "key", "ball", "box", "goal", "lava"]
COLORS = ["red", "green", "blue", "purple", "yellow", "grey"]
DOOR_STATES = ["open", "closed", "locked"]


def steps(n):
    return f"{n} step" + ("s" if n > 1 else "")


def describe(image, carrying):
    """image: obs["image"], [column][row][channel]; carrying: the held object or None. Returns a list of sentences."""
    size = len(image)
    half = size // 2
    sentences = []
    if carrying is not None:
        sentences.append(f"You carry a {carrying.color} {carrying.type}")
    for dx, dy, name in ((0, -1, "forward"), (-1, 0, "left"), (1, 0, "right")):
        x, y, n = half + dx, size - 1 + dy, 1
        while 0 <= x < size and 0 <= y < size and image[x][y][0] in (0, 1):
            x, y, n = x + dx, y + dy, n + 1
        if 0 <= x < size and 0 <= y < size and image[x][y][0] == 2:
            sentences.append(f"You see a wall {steps(n)} {name}")
    for x in range(size):
        for y in range(size):
            kind, color, state = image[x][y]
            if kind < 3 or (x, y) == (half, size - 1):
                continue
            where = []
            if x != half:
                where.append(f"{steps(abs(x - half))} {'left' if x < half else 'right'}")
            if y != size - 1:
                where.append(f"{steps(size - 1 - y)} forward")
            look = f"{DOOR_STATES[state]} " if kind == 4 else ""
            sentences.append(f"You see a {look}{COLORS[color]} {TYPES[kind]} {' and '.join(where)}")
    return sentences
