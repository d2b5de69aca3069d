"""crash_frames.py - run inside GDB by crashlib/debugger.py: every thread's frames as JSON.

Expects the core and the symbols to be loaded.  Reads the file that TRAPLINE_PLACES names (pcs whose
places are wanted, too) and writes the one that TRAPLINE_FRAMES names, nothing else: GDB's own words
go to its standard output, which nobody reads.
"""

import json
import os

import gdb

FRAMES_MAX, OTHERS_FRAMES_MAX = 4096, 256  # of the crashed thread, and of each other one
LOCALS_FRAMES = 8  # the crashed thread's innermost frames, whose locals are told, too
VALUE_CHARACTERS = 120
FIELDS_MAX = 200


def is_bytes_pointer(kind):
    """uint8_t *: GDB would print what it points at as a string."""
    kind = kind.strip_typedefs()
    return (kind.code == gdb.TYPE_CODE_PTR
            and kind.target().strip_typedefs().unqualified().name == "unsigned char")


def format_value(value):
    try:
        if is_bytes_pointer(value.type):
            value = value.cast(gdb.lookup_type("void").pointer())
        text = value.format_string(max_elements=48, max_depth=1, symbols=True)
    except (gdb.error, UnicodeError, ValueError) as error:
        text = f"<{error}>"
    return " ".join(text.split())[:VALUE_CHARACTERS]


def block_variables(frame, arguments_only):
    """(symbol, value) of the frame's own function: an inlined caller's are that frame's."""
    try:
        block = frame.block()
    except RuntimeError:  # no debug information for this pc
        return []
    found = {}
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            wanted = symbol.is_argument or (symbol.is_variable and not arguments_only)
            if wanted and symbol.name not in found:
                found[symbol.name] = symbol
        if block.function is not None:
            break
        block = block.superblock
    return [(symbol, read_variable(frame, symbol)) for symbol in found.values()]


def read_variable(frame, symbol):
    try:
        return symbol.value(frame)
    except (gdb.error, RuntimeError):
        return None


def describe_variable(symbol, value):
    text = "<unavailable>" if value is None else format_value(value)
    return {"name": symbol.name, "value": text, "type": str(symbol.type)}


def describe_line(place):
    if place.symtab is None or not place.line:
        return {}
    return {"file": place.symtab.filename, "path": place.symtab.fullname(), "line": place.line}


def describe_frame(frame, with_locals):
    variables = block_variables(frame, arguments_only=not with_locals)
    described = {
        "pc": frame.pc(),
        "stack": int(frame.read_register("rsp")) & (1 << 64) - 1,
        "function": frame.name(),
        "inline": frame.type() == gdb.INLINE_FRAME,
        "signal": frame.type() == gdb.SIGTRAMP_FRAME,
        "arguments": [describe_variable(*v) for v in variables if v[0].is_argument],
        "locals": [describe_variable(*v) for v in variables if not v[0].is_argument],
    }
    described.update(describe_line(frame.find_sal()))
    return described


def struct_fields(structure, base, prefix):
    """(offset, size, name) of the members, those of nested structs by their full names."""
    fields = []
    for field in structure.fields():
        if not hasattr(field, "bitpos") or len(fields) > FIELDS_MAX:
            continue
        kind = field.type.strip_typedefs()
        name = prefix + (field.name or "")
        offset = base + field.bitpos // 8
        if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            fields += struct_fields(kind, offset, name + "." if field.name else prefix)
        else:
            fields.append([offset, kind.sizeof, name])
    return fields


def describe_pointer(symbol, value):
    """What a pointer to a struct points at, so that an offset can be given its field's name."""
    kind = symbol.type.strip_typedefs()
    if value is None or value.is_optimized_out or kind.code != gdb.TYPE_CODE_PTR:
        return None
    target = kind.target().strip_typedefs()
    if target.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return None
    return {"name": symbol.name, "value": int(value) & (1 << 64) - 1, "type": str(target),
            "fields": struct_fields(target, 0, "")}


def describe_pointers(frame):
    """Of the crashed function and of what it was inlined into."""
    pointers = []
    while frame is not None:
        for variable in block_variables(frame, arguments_only=False):
            try:
                pointers.append(describe_pointer(*variable))
            except (gdb.error, RuntimeError):
                continue
        frame = frame.older() if frame.type() == gdb.INLINE_FRAME else None
    return [pointer for pointer in pointers if pointer is not None]


def walk(frame, most, locals_of):
    frames, stop = [], ""
    while frame is not None and len(frames) < most:
        try:
            frames.append(describe_frame(frame, len(frames) < locals_of))
            reason = frame.unwind_stop_reason()
            if reason not in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST):
                stop = gdb.frame_stop_reason_string(reason)
            frame = frame.older()
        except (gdb.error, RuntimeError) as error:
            stop, frame = str(error), None
    return {"frames": frames, "stop": stop}


def describe_place(pc):
    """Function and line of a pc that is in no frame GDB knows."""
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    function = block.function.print_name if block is not None else None
    return {"function": function, **describe_line(gdb.find_pc_line(pc))}


def main():
    for setting in ("width 0", "backtrace past-main on", "print symbol on",
                    "print frame-arguments all"):
        gdb.execute("set " + setting)
    crashed, *others = sorted(gdb.selected_inferior().threads(), key=lambda t: t.ptid[1])
    pointers = describe_pointers(gdb.newest_frame())
    walks = {crashed.ptid[1]: walk(gdb.newest_frame(), FRAMES_MAX, LOCALS_FRAMES)}
    for thread in others:
        thread.switch()
        walks[thread.ptid[1]] = walk(gdb.newest_frame(), OTHERS_FRAMES_MAX, 0)
    with open(os.environ["TRAPLINE_PLACES"], encoding="utf-8") as file:
        places = {pc: describe_place(int(pc)) for pc in file.read().split()}
    answer = {"walks": walks, "pointers": pointers, "places": places}
    with open(os.environ["TRAPLINE_FRAMES"], "w", encoding="utf-8") as out:
        json.dump(answer, out)


main()
