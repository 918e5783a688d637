"""The five-kind mixed levels on top of Minigrid's own classes: the oracle for actors/envs/babyai/mixed_levels.cc.

Minigrid has no such levels; the rules are GLAM's (see mixed_levels.h), written here a second time in Minigrid's words.
"""

import numpy as np
from minigrid.core.constants import COLOR_NAMES  # noqa: F401  (documents where the other draws come from)
from minigrid.core.roomgrid import RoomGrid
from minigrid.envs.babyai.core.levelgen import LevelGen
from minigrid.envs.babyai.core.verifier import (
    AfterInstr,
    BeforeInstr,
    GoToInstr,
    ObjDesc,
    OpenInstr,
    PickupInstr,
    PutNextInstr,
)

KINDS = ["goto", "pickup", "open", "putnext", "sequence"]
KIND_STREAM = 5
HELD_OUT = ["yellow box", "red key", "red door", "green ball", "grey door"]
TRAINED = [f"{c} {t}" for c in COLOR_NAMES for t in ("box", "key", "ball", "door") if f"{c} {t}" not in HELD_OUT]


def kind_of_seed(seed):
    return KINDS[int(np.random.default_rng([seed, KIND_STREAM]).integers(0, len(KINDS)))]


class MixedLevel(LevelGen):
    def __init__(self, kind, split, num_distractors, **kwargs):
        self.kind = kind
        self.forbidden = HELD_OUT if split == "train" else TRAINED
        self.door_colors = ["yellow", "green", "blue", "purple"] if split == "train" else ["red", "grey"]
        self.door_is_named = split == "test"
        super().__init__(
            room_size=8,
            num_rows=1,
            num_cols=2 if kind == "open" else 1,
            num_dists=num_distractors,
            unblocking=False,
            **kwargs,
        )

    def gen_mission(self):
        draw = getattr(self, "draw_" + self.kind)
        while True:
            self.locked_room = None
            RoomGrid._gen_grid(self, self.width, self.height)
            self.instrs = draw()
            words = self.instrs.surface(self)
            if self.check_objs_reachable(raise_exc=False) and not any(f in words for f in self.forbidden):
                return

    def draw_target(self):
        self.place_agent()
        obj = self._rand_elem(self.add_distractors(num_distractors=self.num_dists + 1, all_unique=False))
        return ObjDesc(obj.type, obj.color)

    def draw_pair(self):
        self.place_agent()
        objs = self.add_distractors(num_distractors=self.num_dists + 2, all_unique=False)
        a = self._rand_elem(objs)
        b = self._rand_elem(objs)
        if (a.type, a.color) == (b.type, b.color):
            if len(ObjDesc(a.type, a.color).find_matching_objs(self)[0]) < 2:
                while (a.type, a.color) == (b.type, b.color):
                    b = self._rand_elem(objs)
        return ObjDesc(a.type, a.color), ObjDesc(b.type, b.color)

    def draw_goto(self):
        return GoToInstr(self.draw_target())

    def draw_pickup(self):
        return PickupInstr(self.draw_target())

    def draw_putnext(self):
        return PutNextInstr(*self.draw_pair())

    def draw_sequence(self):
        a, b = self.draw_pair()
        if self._rand_elem(["before", "after"]) == "before":
            return BeforeInstr(PickupInstr(a), GoToInstr(b))
        return AfterInstr(GoToInstr(b), PickupInstr(a))

    def draw_open(self):
        color = self._rand_elem(self.door_colors)
        # LevelGen.add_locked_room draws the door's colour itself; give it the chosen one.
        add_door = self.add_door
        self.add_door = lambda i, j, door_idx, locked: add_door(i, j, door_idx, color, locked)
        self.add_locked_room()
        del self.add_door
        self.connect_all()
        for i in range(self.num_cols):
            if self.get_room(i, 0) is not self.locked_room:
                self.add_distractors(i, 0, num_distractors=self.num_dists, all_unique=False)
        self.place_agent()
        while self.room_from_pos(*self.agent_pos) is self.locked_room:
            self.place_agent()
        named = color if self.door_is_named else self._rand_elem([None, color])
        return OpenInstr(ObjDesc("door", named))
