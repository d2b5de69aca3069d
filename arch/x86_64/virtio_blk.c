/*
 * virtio_blk.c - a disk for crash records (Virtual I/O Device 1.1: 4.1 PCI, 5.2 block device).
 *
 * One request at a time, polled, for a bounded time; no interrupts, nothing of the legacy
 * interface.  Started over before it is used after a crash: of what is in memory then, only the
 * addresses of its registers are believed.
 */
#include "arch/arch.h"
#include "instructions.h"
#include "memory_layout.h"
#include "pci.h"

enum virtio_numbers {
    VENDOR = 0x1af4,
    BLOCK_DEVICE = 0x1042,              /* 4.1.2: modern only */
    BLOCK_DEVICE_TRANSITIONAL = 0x1001, /* has the modern interface, too */

    CAPABILITY_VENDOR = 0x09, /* 4.1.4: byte offsets in the capability */
    CAPABILITY_BAR = 4,
    CAPABILITY_OFFSET = 8,
    CAPABILITY_MULTIPLIER = 16,
    TYPE_COMMON = 1,
    TYPE_NOTIFY = 2,
    TYPE_DEVICE = 4,
    REGISTERS_BYTES = 4096, /* of each kind, mapped */

    STATUS_ACKNOWLEDGE = 1, /* 2.1 */
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    FEATURE_VERSION_1 = 1 << 0, /* bit 32: in the second word */

    QUEUE_SIZE = 4,
    DESCRIPTOR_NEXT = 1 << 0, /* 2.6.5 */
    DESCRIPTOR_WRITE = 1 << 1,
    AVAILABLE_NO_INTERRUPT = 1,

    REQUEST_READ = 0, /* 5.2.6 */
    REQUEST_WRITE = 1,
    REQUEST_DONE = 0,
    REQUEST_UNANSWERED = 0xff,
    BLOCK_BYTES = 512,

    MAX_WAIT_US = ARCH_DISK_MS * 1000,
    MAX_POLLS = 50000000,
};

/* 4.1.4.3 */
struct common_registers {
    uint32_t device_feature_select, device_feature;
    uint32_t driver_feature_select, driver_feature;
    uint16_t config_msix_vector, num_queues;
    uint8_t device_status, config_generation;
    uint16_t queue_select, queue_size, queue_msix_vector, queue_enable, queue_notify_off;
    uint32_t queue_descriptors[2], queue_driver[2], queue_device[2]; /* low, high */
};
_Static_assert(sizeof(struct common_registers) == 56, "virtio 1.1, 4.1.4.3");

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

/* What the device reads and writes: its places are physical, and 16-aligned is enough. */
struct queue {
    struct descriptor descriptors[QUEUE_SIZE];
    struct {
        uint16_t flags, index, ring[QUEUE_SIZE];
    } available __attribute__((aligned(16)));
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, length;
        } ring[QUEUE_SIZE];
    } used __attribute__((aligned(16)));
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } request __attribute__((aligned(16)));
    uint8_t answer;
};

static struct {
    volatile struct common_registers *common; /* NULL: there is no disk */
    volatile uint8_t *notify;
    volatile uint32_t *device; /* the first two words: its capacity in blocks */
    uint32_t notify_multiplier;
    volatile uint16_t *doorbell; /* NULL: not to be used */
    struct queue queue;
} disk;

static volatile void *map_registers(const struct pci_function *function, unsigned capability)
{
    unsigned bar = pci_read(function, capability + CAPABILITY_BAR) & 0xff;
    uint64_t address = pci_memory_bar(function, bar);

    if (address == 0)
        return NULL;
    return map_device(address + pci_read(function, capability + CAPABILITY_OFFSET), REGISTERS_BYTES,
                      "disk");
}

static void take_capability(const struct pci_function *function, unsigned capability)
{
    uint8_t type = (uint8_t)(pci_read(function, capability) >> 24);

    if (type == TYPE_COMMON && disk.common == NULL)
        disk.common = map_registers(function, capability);
    if (type == TYPE_DEVICE && disk.device == NULL)
        disk.device = map_registers(function, capability);
    if (type == TYPE_NOTIFY && disk.notify == NULL) {
        disk.notify = map_registers(function, capability);
        disk.notify_multiplier = pci_read(function, capability + CAPABILITY_MULTIPLIER);
    }
}

static void set_address(volatile uint32_t *to, const void *object)
{
    uint64_t physical = image_physical(object);

    to[0] = (uint32_t)physical;
    to[1] = (uint32_t)(physical >> 32);
}

/* Of all features, only the one that says that there is no legacy. */
static bool negotiate(void)
{
    disk.common->device_feature_select = 1;
    if ((disk.common->device_feature & FEATURE_VERSION_1) == 0)
        return false;
    disk.common->driver_feature_select = 0;
    disk.common->driver_feature = 0;
    disk.common->driver_feature_select = 1;
    disk.common->driver_feature = FEATURE_VERSION_1;
    disk.common->device_status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
    return (disk.common->device_status & STATUS_FEATURES_OK) != 0;
}

static bool set_up_queue(void)
{
    uint32_t doorbell;

    disk.queue = (struct queue){.available = {.flags = AVAILABLE_NO_INTERRUPT}};
    disk.common->queue_select = 0;
    if (disk.common->queue_size < QUEUE_SIZE)
        return false;
    disk.common->queue_size = QUEUE_SIZE;
    set_address(disk.common->queue_descriptors, disk.queue.descriptors);
    set_address(disk.common->queue_driver, &disk.queue.available);
    set_address(disk.common->queue_device, &disk.queue.used);
    doorbell = disk.common->queue_notify_off * disk.notify_multiplier;
    if (doorbell >= REGISTERS_BYTES)
        return false;
    disk.doorbell = (volatile uint16_t *)(volatile void *)(disk.notify + doorbell);
    disk.common->queue_enable = 1;
    return true;
}

bool arch_disk_restart(void)
{
    uint32_t polls = MAX_POLLS;

    disk.doorbell = NULL;
    if (disk.common == NULL || disk.notify == NULL || disk.device == NULL)
        return false;
    disk.common->device_status = 0; /* 3.1.1: the order of all that follows */
    while (disk.common->device_status != 0 && --polls > 0)
        arch_pause();
    disk.common->device_status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    if (polls == 0 || !negotiate() || !set_up_queue()) {
        disk.doorbell = NULL;
        return false;
    }
    disk.common->device_status |= STATUS_DRIVER_OK;
    return true;
}

bool arch_disk_init(void)
{
    struct pci_function function;

    if (!pci_find(VENDOR, BLOCK_DEVICE, &function) &&
        !pci_find(VENDOR, BLOCK_DEVICE_TRANSITIONAL, &function))
        return false;
    pci_enable(&function, PCI_MEMORY | PCI_MASTER);
    for (unsigned capability = 0;
         (capability = pci_next_capability(&function, capability, CAPABILITY_VENDOR)) != 0;)
        take_capability(&function, capability);
    return arch_disk_restart();
}

uint64_t arch_disk_blocks(void)
{
    if (disk.doorbell == NULL)
        return 0;
    return disk.device[0] | (uint64_t)disk.device[1] << 32;
}

/* Wait for the answer to the one request that is out. */
static bool wait_for_answer(void)
{
    const volatile uint16_t *used = &disk.queue.used.index;
    const volatile uint8_t *answer = &disk.queue.answer;
    struct arch_wait wait = arch_wait_for(MAX_WAIT_US);
    uint32_t polls = MAX_POLLS;

    while (*used != disk.queue.available.index) {
        if (--polls == 0 || !arch_wait_on(&wait)) {
            disk.doorbell = NULL; /* the device may still write to the queue */
            return false;
        }
    }
    return *answer == REQUEST_DONE;
}

static bool transfer(uint32_t type, uint64_t block, const void *bytes, size_t len)
{
    struct queue *queue = &disk.queue;
    uint16_t data = type == REQUEST_READ ? DESCRIPTOR_WRITE : 0;

    if (disk.doorbell == NULL || len % BLOCK_BYTES != 0)
        return false;
    queue->request.type = type;
    queue->request.sector = block;
    queue->answer = REQUEST_UNANSWERED;
    queue->descriptors[0] = (struct descriptor){image_physical(&queue->request),
                                                sizeof(queue->request), DESCRIPTOR_NEXT, 1};
    queue->descriptors[1] = (struct descriptor){image_physical(bytes), (uint32_t)len,
                                                (uint16_t)(DESCRIPTOR_NEXT | data), 2};
    queue->descriptors[2] =
        (struct descriptor){image_physical(&queue->answer), 1, DESCRIPTOR_WRITE, 0};
    queue->available.ring[queue->available.index % QUEUE_SIZE] = 0;
    memory_fence(); /* 2.6.13: the request first, */
    queue->available.index++;
    memory_fence(); /* ... then its number, then the bell */
    *disk.doorbell = 0;
    return wait_for_answer();
}

bool arch_disk_read(uint64_t block, void *bytes, size_t len)
{
    return transfer(REQUEST_READ, block, bytes, len);
}

bool arch_disk_write(uint64_t block, const void *bytes, size_t len)
{
    return transfer(REQUEST_WRITE, block, bytes, len);
}
