/*
 * record.h - the bytes of a crash record.  FORMAT.md is its specification.
 *
 * Little endian, every struct 8-byte aligned, append-only: a field is never moved, removed or
 * reused; a longer payload is a later version, and readers skip what they do not know.
 */
#ifndef CRASHDUMP_RECORD_H
#define CRASHDUMP_RECORD_H

#include <stdint.h>

#define CRASH_TAG(a, b, c, d)                                                                      \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

enum crash_format {
    CRASH_FORMAT_MAJOR = 1, /* readers refuse a higher one */
    CRASH_FORMAT_MINOR = 0, /* readers accept any */
    CRASH_MAGIC_BYTES = 8,
    CRASH_BUILD_ID_BYTES = 20,
    CRASH_BOOT_ID_BYTES = 16,
    CRASH_TEXT_BYTES = 128,
    CRASH_NAME_BYTES = 32,
    CRASH_WALK_LEVELS = 5,
};

/* "TRAP", a high bit, CR LF, ^Z: shows what a text-mode transfer would damage. */
#define CRASH_MAGIC "TRAP\xF1\r\n\x1A"

/* The record begins with this. */
struct crash_header {
    uint8_t magic[CRASH_MAGIC_BYTES];
    uint16_t major, minor;
    uint32_t header_length; /* sizeof(struct crash_header): the first section's offset */
    uint16_t machine;       /* the ELF e_machine of the kernel: 62 is x86-64 */
    uint16_t cpu_count;     /* CPUs that were running */
    uint32_t sequence;      /* of this boot's records, from 1, rising */
    uint8_t boot_id[CRASH_BOOT_ID_BYTES];
    uint8_t build_id[CRASH_BUILD_ID_BYTES]; /* the kernel's NT_GNU_BUILD_ID, zero-padded */
    uint32_t build_id_length;               /* 0: unknown */
    uint32_t flags;                         /* enum crash_record_flags */
    uint32_t record_id;                     /* CRC32C of sequence, boot_id and build_id */
    uint8_t reserved[52];                   /* zero */
    uint32_t crc;                           /* CRC32C of all the bytes before it */
};
_Static_assert(sizeof(struct crash_header) == 128, "the header is 128 bytes");

enum crash_record_flags {
    CRASH_RECORD_MINIMAL = 1 << 0, /* written after the writer itself had failed */
};

/* Each section begins with this and is followed by `stored_length` bytes, then zero bytes up to
 * a multiple of 8. */
struct crash_section_header {
    uint32_t tag;           /* CRASH_TAG('C', 'A', 'U', 'S') */
    uint16_t version;       /* of the payload's layout */
    uint16_t flags;         /* enum crash_section_flags */
    uint32_t stored_length; /* bytes that follow */
    uint32_t raw_length;    /* bytes they stand for */
    uint64_t address;       /* what the section is about, or 0 */
    uint32_t index;         /* tells sections of the same tag apart */
    uint32_t crc;           /* CRC32C of this header with crc 0, then of the payload */
};
_Static_assert(sizeof(struct crash_section_header) == 32, "section headers are 32 bytes");

enum crash_section_flags {
    CRASH_SECTION_COMPRESSED = 1 << 0, /* FORMAT.md, "Compression" */
    CRASH_SECTION_TRUNCATED = 1 << 1,  /* there was more */
    CRASH_SECTION_FAULTED = 1 << 2,    /* a fault cut it short: see NEST */
    CRASH_SECTION_REDACTED = 1 << 3,   /* listed, not stored */
};

enum crash_kind {
    CRASH_KIND_INTERRUPT = 0,
    CRASH_KIND_NMI = 1,
    CRASH_KIND_BREAKPOINT = 2,
    CRASH_KIND_DEBUG = 3,
    CRASH_KIND_ARITHMETIC = 4,
    CRASH_KIND_INSTRUCTION = 5,
    CRASH_KIND_PAGE_FAULT = 6,
    CRASH_KIND_PROTECTION = 7,
    CRASH_KIND_MACHINE = 8,
    CRASH_KIND_DOUBLE = 9, /* a fault while delivering a fault */
    CRASH_KIND_PANIC = 10,
    CRASH_KIND_SYSCALL = 11,
};

enum crash_access {
    CRASH_ACCESS_PRESENT = 1 << 0,
    CRASH_ACCESS_WRITE = 1 << 1,
    CRASH_ACCESS_USER = 1 << 2,
    CRASH_ACCESS_RESERVED = 1 << 3, /* the page tables are malformed */
    CRASH_ACCESS_EXECUTE = 1 << 4,
    CRASH_ACCESS_OTHER = 1 << 5,
};

enum crash_origin {
    CRASH_FROM_KERNEL = 0,
    CRASH_FROM_USER = 1,
};

/* CAUS */
struct crash_cause {
    uint32_t kind;    /* enum crash_kind */
    uint32_t vector;  /* the hardware's */
    uint64_t error;   /* the hardware's error code, or 0 */
    uint64_t pc;      /* as at entry */
    uint64_t address; /* page fault: the address touched */
    uint32_t access;  /* page fault: enum crash_access */
    uint32_t origin;  /* enum crash_origin */
    uint32_t cpu;
    uint32_t thread;   /* 0: none */
    uint32_t nesting;  /* 0; 1: the first record failed, ... */
    uint32_t reserved; /* zero */
    uint64_t uptime_us;
    uint64_t arguments[4];              /* by the cause */
    char name[CRASH_NAME_BYTES];        /* "page fault", NUL-padded */
    char thread_name[CRASH_NAME_BYTES]; /* "main", NUL-padded */
    char text[CRASH_TEXT_BYTES];        /* the panic's or assert's words, NUL-padded */
};
_Static_assert(sizeof(struct crash_cause) == 288, "CAUS v1");

/* REGS.  Followed by `count` values of 8 bytes.  Which register is which is the machine's list in
 * FORMAT.md; its end may be left away. */
struct crash_registers {
    uint32_t cpu;
    uint32_t count;    /* at most 128 */
    uint64_t valid[2]; /* bit n: value n was read */
};
_Static_assert(sizeof(struct crash_registers) == 24, "REGS v1");

/* CODE.  Followed by `length` bytes from section address on. */
struct crash_code {
    uint32_t pc_offset; /* the pc's place among them */
    uint32_t length;    /* at most 64 */
    uint64_t valid;     /* bit n: byte n was readable */
};
_Static_assert(sizeof(struct crash_code) == 16, "CODE v1");

enum crash_walk_purpose {
    CRASH_WALK_ADDRESS = 1, /* the fault's address */
    CRASH_WALK_PC = 2,
    CRASH_WALK_STACK = 3,
};

/* PTWK: any number of these. */
struct crash_walk {
    uint64_t address;
    uint32_t purpose;  /* enum crash_walk_purpose */
    uint8_t levels;    /* of the page tables: 4 */
    uint8_t read;      /* entries read, from the root; fewer than levels where one is absent or a
                          large page */
    uint8_t mapped;    /* 1: the last entry read maps the address */
    uint8_t canonical; /* 0: no walk is possible */
    uint64_t root;     /* physical address of the root table */
    uint64_t physical; /* of the address, if mapped */
    uint64_t entries[CRASH_WALK_LEVELS]; /* raw, from the root */
};
_Static_assert(sizeof(struct crash_walk) == 72, "PTWK v1");

enum crash_trust {
    CRASH_TRUST_CONTEXT = 1, /* from the saved registers */
    CRASH_TRUST_FRAME = 2,   /* from a frame-pointer chain inside a known stack */
    CRASH_TRUST_SCAN = 3,    /* a word on the stack that points into text */
};

/* BTRC: any number of these, innermost first. */
struct crash_frame {
    uint64_t pc;
    uint64_t frame; /* the frame's address on the stack, or 0 */
    uint32_t trust; /* enum crash_trust */
    uint32_t reserved;
};
_Static_assert(sizeof(struct crash_frame) == 24, "BTRC v1");

enum crash_unit_flags {
    CRASH_UNIT_HOLE = 1 << 0,   /* unreadable: no bytes follow */
    CRASH_UNIT_ZERO = 1 << 1,   /* all zero: no bytes follow */
    CRASH_UNIT_SECRET = 1 << 2, /* a HOLE because it was withheld */
};

/* Memory, in STAK and wherever else: units until the section's end, each followed by its bytes
 * (padded to 8), unless the flags say that none are stored. */
struct crash_unit {
    uint64_t address;
    uint32_t length; /* bytes that it stands for */
    uint32_t flags;  /* enum crash_unit_flags */
};
_Static_assert(sizeof(struct crash_unit) == 16, "memory units");

/* LOGR: any number of these, oldest first, each followed by `length` bytes of text padded to 8. */
struct crash_log_entry {
    uint64_t sequence; /* of the message, from 0; a gap is a loss */
    uint64_t time_us;  /* since boot */
    uint16_t level;    /* 0 error, 1 warning, 2 notice, 3 debug */
    uint16_t length;
    uint32_t cpu;
};
_Static_assert(sizeof(struct crash_log_entry) == 24, "LOGR v1");

enum crash_map_kind {
    CRASH_MAP_TEXT = 1,
    CRASH_MAP_RODATA = 2,
    CRASH_MAP_DATA = 3,
    CRASH_MAP_STACK = 4,
    CRASH_MAP_GUARD = 5, /* never mapped: touching it is the error */
    CRASH_MAP_HEAP = 6,
    CRASH_MAP_DIRECT = 7, /* the direct map of physical memory */
    CRASH_MAP_DEVICE = 8,
    CRASH_MAP_PHYSICAL = 9, /* a range of the boot loader's memory map */
};

enum crash_map_captured {
    CRASH_CAPTURED_NO = 0,      /* not asked for */
    CRASH_CAPTURED_YES = 1,     /* in this record */
    CRASH_CAPTURED_PARTLY = 2,  /* in this record, with holes or cut short */
    CRASH_CAPTURED_IN_FILE = 3, /* constant: the kernel's ELF file has it */
    CRASH_CAPTURED_SECRET = 4,  /* withheld */
};

enum crash_map_permissions {
    CRASH_MAP_READ = 1 << 0,
    CRASH_MAP_WRITE = 1 << 1,
    CRASH_MAP_EXECUTE = 1 << 2,
};

/* MAPS: any number of these. */
struct crash_map {
    uint64_t start, end;  /* [start, end) */
    uint16_t kind;        /* enum crash_map_kind */
    uint16_t permissions; /* enum crash_map_permissions */
    uint32_t captured;    /* enum crash_map_captured */
    char name[CRASH_NAME_BYTES];
};
_Static_assert(sizeof(struct crash_map) == 56, "MAPS v1");

enum crash_cpu_state {
    CRASH_CPU_CRASHED = 1, /* the one that wrote the record: its registers are in REGS */
    CRASH_CPU_STOPPED = 2, /* stopped by the crash: its registers follow */
    CRASH_CPU_SILENT = 3,  /* did not answer within the time it was given */
};

/* CPUS: one for each CPU that was running.  Followed by `count` values of 8 bytes, as in REGS. */
struct crash_cpu {
    uint32_t cpu;
    uint32_t state;    /* enum crash_cpu_state */
    uint32_t thread;   /* the id of the one it runs, 0: none */
    uint32_t count;    /* register values that follow, at most 128 */
    uint64_t valid[2]; /* bit n: value n was read */
    uint64_t ticks;    /* of its timer, since it started */
    uint64_t tick_us;  /* when the last one was, since boot */
};
_Static_assert(sizeof(struct crash_cpu) == 48, "CPUS v1");

enum crash_thread_state {
    CRASH_THREAD_RUNNING = 1,  /* on a CPU: its registers are that CPU's */
    CRASH_THREAD_RUNNABLE = 2, /* would run if there were a CPU free */
    CRASH_THREAD_SLEEPING = 3, /* until wake_us */
    CRASH_THREAD_WAITING = 4,  /* for wait_object */
    CRASH_THREAD_ENDED = 5,    /* somebody has yet to ask for its status */
};

enum crash_thread_flags {
    CRASH_THREAD_IDLE = 1 << 0, /* a CPU's own, for when there is nothing else to do */
    CRASH_THREAD_USER = 1 << 1, /* runs a user program */
};

/* THRD: one for each thread.  Followed by `count` values of 8 bytes, as in REGS. */
struct crash_thread {
    uint32_t id; /* from 1 */
    uint32_t cpu;
    uint32_t state;    /* enum crash_thread_state */
    uint32_t flags;    /* enum crash_thread_flags */
    uint32_t process;  /* the id of its user program, 0: none */
    uint32_t priority; /* 0 is the highest */
    uint32_t count;    /* register values that follow, at most 128; 0 while it runs */
    uint32_t since_ms; /* when it began to run, or ceased to, since boot; 0: not known */
    uint64_t valid[2]; /* bit n: value n was read */
    uint64_t stack_bottom, stack_top; /* its kernel stack, [bottom, top) */
    uint64_t wait_object;             /* address of the lock or queue it waits for, or 0 */
    uint64_t wake_us;                 /* when it wakes at the latest, since boot; 0: never */
    char name[CRASH_NAME_BYTES];      /* NUL-padded */
    char wait[CRASH_NAME_BYTES];      /* what it waits for, for people; NUL-padded */
};
_Static_assert(sizeof(struct crash_thread) == 144, "THRD v1");

enum crash_lock_kind {
    CRASH_LOCK_SPIN = 1,
    CRASH_LOCK_MUTEX = 2,
};

/* LOCK: one for each lock that is held or waited for. */
struct crash_lock {
    uint64_t address;
    uint32_t kind;               /* enum crash_lock_kind */
    uint32_t owner_thread;       /* id, 0: none, or not held */
    uint32_t owner_cpu;          /* where it was taken */
    uint32_t waiters;            /* threads that wait for it */
    uint64_t site;               /* the pc that took it, or 0 */
    char name[CRASH_NAME_BYTES]; /* NUL-padded */
};
_Static_assert(sizeof(struct crash_lock) == 64, "LOCK v1");

enum crash_event_kind {
    CRASH_EVENT_TRAP = 1,        /* number: vector; argument: error code, or address touched */
    CRASH_EVENT_SWITCH = 2,      /* number: the thread that runs now; argument: the one before */
    CRASH_EVENT_SYSCALL = 3,     /* number: of the call; argument: its first */
    CRASH_EVENT_SYSCALL_END = 4, /* number: of the call; argument: its result */
};

/* FLIT, the flight recorder: the last events of each CPU, oldest first, one CPU after another. */
struct crash_event {
    uint64_t time_us; /* since boot */
    uint64_t pc;      /* where it interrupted, or 0 */
    uint64_t argument;
    uint16_t kind; /* enum crash_event_kind */
    uint16_t cpu;
    uint32_t number;
};
_Static_assert(sizeof(struct crash_event) == 32, "FLIT v1");

/* TEXT: one for each page of code: what ran may differ from what the ELF file says. */
struct crash_text_page {
    uint64_t address;
    uint32_t length; /* bytes hashed: a page, or what the section has of it */
    uint32_t crc;    /* CRC32C of them, planted breakpoints taken out */
};
_Static_assert(sizeof(struct crash_text_page) == 16, "TEXT v1");

/* NEST: any number of these: what went wrong inside the writer. */
struct crash_nested {
    uint32_t tag;  /* the section that was being written, 0: none */
    uint32_t kind; /* enum crash_kind */
    uint32_t vector;
    uint32_t reserved; /* zero */
    uint64_t error, pc, address;
    char text[64];
};
_Static_assert(sizeof(struct crash_nested) == 104, "NEST v1");

/* ENDS.  Followed by a copy of the header of each section before, `header_count` of them: a lost
 * header costs nothing but itself. */
struct crash_end_section {
    uint32_t section_count; /* before this one */
    uint32_t faulted;       /* sections cut short by a fault */
    uint64_t length;        /* bytes of the record before this section */
    uint64_t time_used_us;
    uint32_t sections_crc; /* CRC32C over the crc fields of all sections before */
    uint32_t header_count; /* less than section_count if the writer had no room for all */
};
_Static_assert(sizeof(struct crash_end_section) == 32, "ENDS v1");

#endif
