"""efface from Python: the C interface (efface/capi.h) through ctypes.

    python3 efface.py LIBRARY DIRECTORY

LIBRARY is the shared libefface; whatever stands in DIRECTORY is replaced. It writes a record, keeps
sealed bytes in a SQLite database of its own, erases the person, and shows that neither opens.
"""

import ctypes
import os
import shutil
import sqlite3
import sys
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_int32, c_size_t, c_uint8, \
    c_uint32, c_uint64, c_void_p

OK, SUBJECT_ERASED, SEAL_UNKNOWN = 0, 20, 68
ACCEPT_L0, UNLOCKED_MEMORY = 1, 8
CONTRACT = 2


class Slice(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]


class Sized(Structure):
    """A structure that begins with its own size, as all options do."""

    def __init__(self, **members):
        super().__init__(size=ctypes.sizeof(self), **members)


class RootKeysOptions(Sized):
    _fields_ = [("size", c_size_t), ("path", Slice), ("passphrase", Slice), ("flags", c_uint32)]


class RegionOptions(Sized):
    _fields_ = [("size", c_size_t), ("name", Slice), ("root_keys", c_void_p), ("directory", Slice),
                ("ledger_copy", Slice)]


class StoreOptions(Sized):
    _fields_ = [("size", c_size_t), ("directory", Slice), ("regions", c_void_p),
                ("region_count", c_size_t), ("flags", c_uint32), ("processing_region", Slice)]


class PurposeTerms(Sized):
    _fields_ = [("size", c_size_t), ("name", Slice), ("basis", c_uint32),
                ("retention_days", c_uint32), ("flags", c_uint32)]


class Erasure(Sized):
    _fields_ = [("size", c_size_t), ("erased", c_uint64), ("unknown", c_uint64),
                ("held", c_uint64), ("shared", c_uint64), ("entry", c_uint64),
                ("has_receipt", c_uint32), ("region", c_char * 68), ("salt", c_uint8 * 32)]


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Library:
    """Functions that raise instead of answering a code, and give out what they find."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.efface_status_name.restype = c_char_p
        self.c.efface_last_note.restype = c_char_p
        self.c.efface_buffer_bytes.restype = Slice
        self.c.efface_buffer_bytes.argtypes = [c_void_p]

    def __call__(self, name, *arguments):
        function = getattr(self.c, "efface_" + name)
        function.restype = c_int32
        code = function(*[c_void_p(a) if isinstance(a, int) else a for a in arguments])
        if code != OK:
            raise Refused(code, "%s: %s" % (self.c.efface_status_name(code).decode(),
                                            self.c.efface_last_note().decode()))

    def give(self, name, *arguments):
        out = c_void_p()
        self(name, *arguments, byref(out))
        return out.value

    def give_bytes(self, name, *arguments):
        buffer = self.give(name, *arguments)
        if buffer is None:
            return None
        found = self.c.efface_buffer_bytes(buffer)
        copy = ctypes.string_at(found.data, found.size)
        self("buffer_close", buffer)
        return copy


def text(value):
    """A slice of the text, or bytes. ctypes keeps what it points to alive with it."""
    raw = value.encode() if isinstance(value, str) else value
    slice_ = Slice(ctypes.cast(c_char_p(raw), c_void_p), len(raw))
    slice_.keeps = raw
    return slice_


def refused(code, call):
    try:
        call()
    except Refused as why:
        return why.code == code
    return False


def main(library, directory):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    efface = Library(library)

    path = text(os.path.join(directory, "root.key"))
    keys = efface.give("root_keys_create", byref(RootKeysOptions(path=path, flags=ACCEPT_L0)))
    region = RegionOptions(name=text("eu"), root_keys=keys)
    regions = (POINTER(RegionOptions) * 1)(ctypes.pointer(region))
    where = text(os.path.join(directory, "store"))
    store = efface.give("store_create", byref(StoreOptions(
        directory=where, regions=ctypes.cast(regions, c_void_p), region_count=1,
        flags=ACCEPT_L0 | UNLOCKED_MEMORY)))
    eu = (Slice * 1)(text("eu"))
    tenant = efface.give("tenant_declare", store, text("acme"), eu, c_size_t(1), text("shop"))
    efface("purpose_declare", tenant, byref(PurposeTerms(name=text("orders"), basis=CONTRACT)))
    alice = efface.give("subject_enrol", tenant, text("alice"), text("eu"))

    orders = efface.give("activity_of", tenant, text("orders"))
    efface("put", orders, alice, text("address"), text("1 Main Street"), None)
    assert efface.give_bytes("get", orders, alice, text("address")) == b"1 Main Street"
    assert efface.give_bytes("get", orders, alice, text("telephone")) is None

    # Kept in another database: what is sealed there is hers as well.
    notes = sqlite3.connect(os.path.join(directory, "notes.db"))
    notes.execute("create table note (id integer primary key, body blob)")
    sealer = efface.give("sealer_of", tenant, text("orders"))
    sealed = efface.give_bytes("seal", sealer, alice, text("note/1"), text("Ring twice."),
                               c_uint32(0))
    notes.execute("insert into note values (1, ?)", (sealed,))
    notes.commit()

    def note(person):
        body, = notes.execute("select body from note where id = 1").fetchone()
        return efface.give_bytes("open_sealed", sealer, person, text("note/1"), text(body))

    assert note(alice) == b"Ring twice."

    witness = efface.give("subject_find", tenant, text("alice"))
    erasure = Erasure()
    efface("erase", tenant, alice, byref(erasure))  # Uses the handle up.
    receipt = efface.give_bytes("receipt", tenant, byref(erasure))
    assert erasure.erased == 1 and receipt
    assert refused(SUBJECT_ERASED, lambda: note(witness))
    again = efface.give("subject_enrol", tenant, text("alice"), text("eu"))
    assert refused(SEAL_UNKNOWN, lambda: note(again))

    for kind, handle in (("subject", witness), ("subject", again), ("sealer", sealer),
                         ("activity", orders), ("tenant", tenant), ("store", store),
                         ("root_keys", keys)):
        efface(kind + "_close", handle)
    print(receipt.decode(), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
