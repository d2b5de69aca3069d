/*
 * test_gdbstub_packets.c - each packet's reply, one row each, from the same state of one machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fake_client.h"

#define ZEROS_8   "00000000"
#define ZEROS_16  ZEROS_8 ZEROS_8
#define ZEROS_64  ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16
#define ZEROS_128 ZEROS_64 ZEROS_64

#define OFFERED                                                                                    \
    "PacketSize=1000;QStartNoAckMode+;vContSupported+;swbreak+;qSearch:memory+"                    \
    ";ConditionalBreakpoints+;BreakpointCommands+"                                                 \
    ";qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+;qXfer:exec-file:read+"       \
    ";qXfer:osdata:read+"

struct row {
    const char *request;
    const char *reply;
};

/* Thread 1 has stopped at 0x1000 by SIGTRAP, with rsp at 0x8000; 0x1000 to 0x1fff hold 0, 1, 2...;
 * pages 0 and 2 are absent, 5 is read-only, 6 is refused to breakpoints; cs is constant. */
static const struct row rows[] = {
    /* handshake.c */
    {"qSupported", OFFERED ";hwbreak+;QCatchSyscalls+"},
    {"qSupported:multiprocess+", OFFERED ";hwbreak+;QCatchSyscalls+;multiprocess+"},
    {"qSupported:multiprocess-;;x", OFFERED ";hwbreak+;QCatchSyscalls+"},
    {"qSupported:swbreak+", OFFERED ";hwbreak+;QCatchSyscalls+;binary-upload+"},
    {"qSupported:binary-upload+", OFFERED ";hwbreak+;QCatchSyscalls+;binary-upload+"},
    {"qSupported:error-message+", OFFERED ";hwbreak+;QCatchSyscalls+;error-message+"},
    {"QStartNoAckMode", "OK"},
    {"QStartNoAckMode,", "E01"},
    {"qAttached", "1"},
    {"qAttached:1", "1"},
    {"qSymbol::", "OK"},
    {"qOffsets", "Text=0;Data=0;Bss=0"},
    {"qOffsets:", "E01"},
    {"QNonStop:0", "OK"},
    {"QNonStop:1", "E.the machine stops as a whole: say set non-stop off"},
    {"QNonStop", "E01"},
    {"D", "OK"},
    {"D;1", "OK"},
    {"D;2", "E22"},
    {"D1", "E22"},
    {"k", "(none)"},
    {"kx", "E01"},
    {"vKill;1", "OK"},
    {"vKill;2", "E22"},
    {"vKill", "E22"},

    /* stop.c */
    {"?", "T0506:" ZEROS_16 ";07:0080000000000000;10:0010000000000000;thread:p1.1;core:0;"},
    {"??", "E01"},
    {"vCtrlC", "OK"},
    {"vCtrlC;", "E01"},

    /* registers.c: rax to r15 (rsp is 0x8000), rip, eflags and six segments */
    {"g",
     ZEROS_64 ZEROS_16 ZEROS_16 ZEROS_16 "0080000000000000" ZEROS_128 "0010000000000000" ZEROS_8
                                         "10000000" ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8},
    {"g0", "E01"},
    {"G", "E22"},
    {"G1122334455667788", "OK"},
    {"G11223344556677889900", "E22"},
    {"G112233445566778", "E01"},
    {"G11223344556677xx", "E01"},
    {"p10", "0010000000000000"},
    {"p7", "0080000000000000"},
    {"p28", ZEROS_16 ZEROS_16},
    {"p29", "xxxxxxxxxxxxxxxx"},
    {"p2a", "E22"},
    {"pffffffffffffffff", "E22"},
    {"p10000000000000000", "E01"},
    {"p", "E01"},
    {"p10,", "E01"},
    {"P0=1122334455667788", "OK"},
    {"P0=11223344556677", "E22"},
    {"P0=112233445566778899", "E22"},
    {"P0=", "E22"},
    {"P0", "E01"},
    {"P0=xx", "E01"},
    {"P12=33000000", "E13"},
    {"P29=" ZEROS_16, "E13"},
    {"P2a=" ZEROS_16, "E22"},

    /* memory.c */
    {"m1000,4", "00010203"},
    {"m1000,1", "00"},
    {"m1000,0", ""},
    {"m0,1", "E14"},
    {"m0,0", ""},
    {"m1ffe,4", "feff"},
    {"m2000,1", "E14"},
    {"mffffffffffffffff,1", "a5"},
    {"mfffffffffffffffe,8", "a5a5"},
    {"mffffffffffffffff,ffffffffffffffff", "a5"},
    {"m7fffffffffffffff,ffffffffffffffff", "E14"},
    {"m", "E01"},
    {"m1000", "E01"},
    {"m1000,", "E01"},
    {"m,4", "E01"},
    {"m1000,4,", "E01"},
    {"mx,1", "E01"},
    {"m11112222333344445,1", "E01"},
    {"m00000000000000000001000,1", "00"},
    {"x1041,3", "bABC"},
    {"x1023,2", "b}\x03}\x04"},
    {"x1000,0", "b"},
    {"x2000,1", "E14"},
    {"x1000", "E01"},
    {"M1000,2:abcd", "OK"},
    {"M1000,0:", "OK"},
    {"M1000,2:ab", "E22"},
    {"M1000,2:abcdef", "E22"},
    {"M1000,2:abc", "E01"},
    {"M1000,2:zzzz", "E01"},
    {"M1000,2", "E01"},
    {"M2000,1:00", "E14"},
    {"M1fff,2:0000", "E14"},
    {"M5000,1:00", "E14"},
    {"Mffffffffffffffff,2:0000", "E14"},
    {"X1000,3:abc", "OK"},
    {"X1000,0:", "OK"},
    {"X1000,1:}]", "OK"},
    {"X1000,1:}", "E01"},
    {"X1000,1:ab", "E22"},
    {"X1000,2:a", "E22"},
    {"X2000,1:a", "E14"},
    {"X1000,1", "E01"},

    /* memory_scan.c */
    {"qCRC:1000,1", "C4e08bfb4"},
    {"qCRC:1000,0", "Cffffffff"},
    {"qCRC:1ffe,4", "E14"},
    {"qCRC:1000,4000001", "E.more than 64 MiB of work: ask in pieces"},
    {"qCRC:1000", "E01"},
    {"qCRC", "E01"},
    {"qSearch:memory:1000;1000;ABC", "1,1041"},
    {"qSearch:memory:1042;fbe;ABC", "1,1141"},
    {"qSearch:memory:1000;43;ABC", "0"},
    {"qSearch:memory:1000;44;ABC", "1,1041"},
    {"qSearch:memory:1000;1000;}]}\x03", "0"},
    {"qSearch:memory:1000;1000;}]~", "1,107d"},
    {"qSearch:memory:1000;2000;ABCE", "E14"},
    {"qSearch:memory:2000;10;A", "E14"},
    {"qSearch:memory:1000;0;A", "0"},
    {"qSearch:memory:1000;10;", "E01"},
    {"qSearch:memory:1000;10;}", "E01"},
    {"qSearch:memory:1000", "E01"},
    {"qSearch:memory", ""},
    {"qSearch:registers:0;1;A", ""},
    {"qSearch", ""},

    /* memory_map.c */
    {"qMemoryRegionInfo", "OK"},
    {"qMemoryRegionInfo:1800", "start:1000;size:1000;permissions:rwx;name:52414d;"},
    {"qMemoryRegionInfo:2000", "start:2000;size:1000;"},
    {"qMemoryRegionInfo:ffff0000", "E14"},
    {"qMemoryRegionInfo:", "E01"},

    /* points.c, breakpoints.c */
    {"Z0,1000,1", "OK"},
    {"Z0,0,1", "E14"},
    {"Z0,2000,1", "E14"},
    {"Z0,1000,2", "E22"},
    {"Z0,1000,0", "E22"},
    {"Z0,5000,1", "E.the memory does not keep what is written to it"},
    {"Z0,6000,1", "E.in the debugger itself"},
    {"Z0,1000", "E01"},
    {"Z0", "E01"},
    {"Z", "E01"},
    {"Z0,1000,1;X3,220127", "OK"},
    {"Z1,1000,1", "OK"},
    {"Z1,6000,1", "E.in the debugger itself"},
    {"Z2,3000,4", "OK"},
    {"Z2,6000,4", "OK"},
    {"Z2,3000,0", "E22"},
    {"Z2,ffffffffffffffff,2", "E22"},
    {"Z3,3000,4", ""},
    {"Z4,3000,4", "OK"},
    {"Z5,3000,4", ""},
    {"z0,1000,1", "OK"},
    {"z0,0,1", "OK"},
    {"z1,1000,1", "OK"},
    {"z2,3000,4", "OK"},
    {"z3,3000,4", ""},
    {"z5,3000,4", ""},
    {"z", "E01"},

    /* resume.c */
    {"c", "(none)"},
    {"c1004", "(none)"},
    {"cx", "E01"},
    {"C05", "(none)"},
    {"C05;1004", "(none)"},
    {"C", "E01"},
    {"C05;", "E01"},
    {"C100", "E01"},
    {"s", "(none)"},
    {"s1004", "(none)"},
    {"S0b", "(none)"},
    {"S", "E01"},
    {"vCont?", "vCont;c;C;s;S;r"},
    {"vCont?;", "E01"},
    {"vCont;c", "(none)"},
    {"vCont;s:p1.1", "(none)"},
    {"vCont;S0b:p1.1;c", "(none)"},
    {"vCont;r1000,1010:p1.1", "(none)"},
    {"vCont", "E01"},
    {"vCont;", "E01"},
    {"vCont;c;", "E01"},
    {"vCont;t", "E01"},
    {"vCont;C", "E01"},
    {"vCont;r1000", "E01"},
    {"vCont;c:", "E01"},
    {"vCont;c:p1.1x", "E01"},
    {"vCont;c:p1.9", "E03"},
    {"vCont;c:p2.1", "E01"},
    {"vCont;c;c;c;c;c;c;c;c;c;c;c;c;c;c;c;c;c", "E.too many actions in one packet"},
    {"vContx", ""},

    /* threads.c */
    {"Hg0", "OK"},
    {"Hg-1", "OK"},
    {"Hg2", "OK"},
    {"Hgp1.2", "OK"},
    {"Hgp1.-1", "OK"},
    {"Hgp1", "OK"},
    {"Hgp0.0", "OK"},
    {"Hgp-1.-1", "OK"},
    {"Hgp1.9", "E03"},
    {"Hgp2.1", "E01"},
    {"Hgp3.1", "E01"},
    {"Hg", "E01"},
    {"Hg-2", "E01"},
    {"Hgp1.", "E01"},
    {"Hc0", "OK"},
    {"Hc-1", "OK"},
    {"Hc2", "OK"},
    {"Hc9", "E03"},
    {"Hx0", ""},
    {"H", ""},
    {"T1", "OK"},
    {"Tp1.2", "OK"},
    {"Tp1.3", "E03"},
    {"T-1", "E03"},
    {"T0", "E03"},
    {"T", "E01"},
    {"qC", "QCp1.1"},
    {"qC,", "E01"},
    {"qfThreadInfo", "mp1.1,p1.2"},
    {"qfThreadInfo,", "E01"},
    {"qsThreadInfo;", "E01"},
    {"qThreadExtraInfo,p1.2", "7468726561642d32"
                              "3a20"
                              "736c656570696e67"
                              "2c2043505520"
                              "31"}, /* thread-2: sleeping, CPU 1 */
    {"qThreadExtraInfo,p1.3", "E03"},
    {"qThreadExtraInfo", "E01"},

    /* xfer.c, description.c, thread_list.c, memory_map.c, files.c */
    {"qXfer:features:read:target.xml:0,9", "m<!DOCTYPE"},
    {"qXfer:features:read:target.xml:2,3", "mDOC"},
    {"qXfer:threads:read::0,1000",
     "l<threads><thread id=\"p1.1\" core=\"0\" name=\"thread-1\">running</thread>"
     "<thread id=\"p1.2\"/></threads>"},
    {"qXfer:threads:read:x:0,10", "E00"},
    {"qXfer:memory-map:read::0,1000",
     "l<memory-map><memory type=\"ram\" start=\"0x0\" length=\"0x800000000000\"/>"
     "<memory type=\"ram\" start=\"0xffff800000000000\" length=\"0x800000000000\"/></memory-map>"},
    {"qXfer:memory-map:read:x:0,10", "E00"},
    {"qXfer:exec-file:read:1:0,100", "l/counting"},
    {"qXfer:exec-file:read::0,100", "l/counting"},
    {"qXfer:exec-file:read::4,2", "mnt"},
    {"qXfer:exec-file:read::ff,10", "l"},
    {"qXfer:osdata:read::0,7", "m<osdata"},
    {"qXfer:osdata:read:processes:0,7", "E00"},
    {"qXfer:features:read:target.xml:0,0", "m"},
    {"qXfer:features:read:target.xml:ffffff,10", "l"},
    {"qXfer:features:read:target.xml:0", "E01"},
    {"qXfer:features:read:target.xml", "E01"},
    {"qXfer:features:read:other.xml:0,10", "E00"},
    {"qXfer:features:read::0,10", "E00"},
    {"qXfer:features:write:target.xml:0:00", ""},
    {"qXfer:auxv:read::0,10", ""},
    {"qXfer", "E01"},

    {"vFile:setfs:0", "F0"},
    {"vFile:open:636f756e74696e67,0,0", "F1"},
    {"vFile:open:2f636f756e74696e67,0,0", "F1"},
    {"vFile:open:636f756e74696e67,1,0", "F-1,1e"},
    {"vFile:open:636f756e74696e67,602,1c0", "F-1,1e"},
    {"vFile:open:676f6e65,0,0", "F-1,2"},
    {"vFile:open:6e6f6e65,0,0", "F-1,2"},
    {"vFile:open:,0,0", "F-1,2"},
    {"vFile:open:xx,0,0", "F-1,2"},
    {"vFile:open:636f756e74696e67", "F-1,16"},
    {"vFile:pread:1,3,41", "F0003;ABC"},
    {"vFile:pread:1,2,23", "F0002;}\x03}\x04"},
    {"vFile:pread:1,10,2710", "F0000;"},
    {"vFile:pread:1,10,ffffffffffffffff", "F0000;"},
    {"vFile:pread:1,10", "F-1,16"},
    {"vFile:pread:0,10,0", "F-1,9"},
    {"vFile:pread:9,10,0", "F-1,9"},
    {"vFile:fstat:9", "F-1,9"},
    {"vFile:stat:6e6f6e65", "F-1,2"},
    {"vFile:close:1", "F0"},
    {"vFile:pwrite:1,0,abc", "F-1,1e"},
    {"vFile:unlink:636f756e74696e67", "F-1,1e"},
    {"vFile:readlink:636f756e74696e67", ""},
    {"vFile", "E01"},

    /* extended.c; what vRun leads to has tests of its own */
    {"!", "OK"},
    {"!!", "E01"},
    {"vRun;", "(none)"},
    {"vRun;2f6b65726e656c;61", "(none)"},
    {"R00", "(none)"},
    {"vAttach;1", "T0506:" ZEROS_16 ";07:0080000000000000;10:0010000000000000;thread:p1.1;core:0;"},
    {"vAttach;2", "E.there is one process, the kernel: its number is 1"},
    {"vAttach", "E01"},

    /* syscalls.c */
    {"QCatchSyscalls:0", "OK"},
    {"QCatchSyscalls:1", "OK"},
    {"QCatchSyscalls:1;1;3c", "OK"},
    {"QCatchSyscalls:1;200", "E.system calls from 512 on are only caught all together"},
    {"QCatchSyscalls:1;", "E01"},
    {"QCatchSyscalls:2", "E01"},
    {"QCatchSyscalls", "E01"},

    /* lldb.c: the triple is in hex */
    {"qHostInfo", "triple:7838365f36342d756e6b6e6f776e2d6e6f6e65;ptrsize:8;endian:little;"},
    {"qHostInfo:", "E01"},
    {"qProcessInfo",
     "pid:1;triple:7838365f36342d756e6b6e6f776e2d6e6f6e65;ptrsize:8;endian:little;"},
    {"qProcessInfo:", "E01"},
    {"QThreadSuffixSupported", "OK"},
    {"QThreadSuffixSupported:", "E01"},
    {"QListThreadsInStopReply", "OK"},
    {"QListThreadsInStopReply:", "E01"},
    {"jThreadsInfo",
     "[{\"tid\":1,\"name\":\"thread-1\",\"reason\":\"signal\",\"signal\":5,\"registers\":{"
     "\"6\":\"0000000000000000\",\"7\":\"0080000000000000\",\"16\":\"0010000000000000\"}]}],"
     "{\"tid\":2,\"name\":\"thread-2\",\"registers\":{"
     "\"6\":\"0000000000000000\",\"7\":\"0000000000000000\",\"16\":\"0000000000000000\"}]}]]"},
    {"jThreadsInfo:", "E01"},

    /* console.c; `many` has a test of its own */
    {"qRcmd,7175696574", "OK"},
    {"qRcmd,6e6f6e65", ""},
    {"qRcmd,", ""},
    {"qRcmd,7", "E01"},
    {"qRcmd", "E01"},

    /* not spoken: GDB tries them, and must learn so; names of others that begin like ours */
    {"vMustReplyEmpty", ""},
    {"qTStatus", ""},
    {"qSupported-", ""},
    {"qTfV", ""},
    {"qTsV", ""},
    {"qTfP", ""},
    {"qTsP", ""},
    {"qTP:1:1000", ""},
    {"qTV:1", ""},
    {"qTBuffer:0,10", ""},
    {"qTMinFTPILen", ""},
    {"qTSTMat:1000", ""},
    {"qTfSTM", ""},
    {"QTinit", ""},
    {"QTDP:1:1000:E:0:0", ""},
    {"QTDPsrc:1:1000:cond:0:1:61", ""},
    {"QTDV:1:0:0:61", ""},
    {"QTStart", ""},
    {"QTStop", ""},
    {"QTFrame:-1", ""},
    {"QTNotes:user:61", ""},
    {"QTSave:61", ""},
    {"QTro:1000,2000", ""},
    {"QTBuffer:size:-1", ""},
    {"QTDisconnected:0", ""},
    {"QTEnable:1:1000", ""},
    {"QTDisable:1:1000", ""},
    {"qGetTIBAddr:p1.1", ""},
    {"qGetTLSAddr:p1.1,0,0", ""},
    {"qIsAddressTagged:1000", ""},
    {"qMemTags:1000,10:1", ""},
    {"QMemTags:1000,10:1:00", ""},
    {"QPassSignals:e;10", ""},
    {"QProgramSignals:0", ""},
    {"QThreadEvents:1", ""},
    {"QThreadOptions;1", ""},
    {"QDisableRandomization:1", ""},
    {"QStartupWithShell:1", ""},
    {"QEnvironmentHexEncoded:61", ""},
    {"QEnvironmentUnset:61", ""},
    {"QEnvironmentReset", ""},
    {"QSetWorkingDir:", ""},
    {"QAllow:WriteReg:1", ""},
    {"QAgent:1", ""},
    {"Qbtrace:bts", ""},
    {"Qbtrace:off", ""},
    {"Qbtrace-conf:bts:size=1", ""},
    {"qP0000001f0000000000000001", ""},
    {"qExecAndArgs", ""},
    {"qRegisterInfo0", ""},
    {"qThreadStopInfo1", ""},
    {"qVAttachOrWaitSupported", ""},
    {"qStructuredDataPlugins", ""},
    {"qShlibInfoAddr", ""},
    {"qProcessInfoPID:1", ""},
    {"qfProcessInfo", ""},
    {"qsProcessInfo", ""},
    {"qUserName:0", ""},
    {"qGroupName:0", ""},
    {"qPlatform_shell:6c73,0", ""},
    {"qGetWorkingDir", ""},
    {"qGetPid", ""},
    {"qWatchpointSupportInfo", ""},
    {"qWatchpointSupportInfo:", ""},
    {"qModuleInfo:61;62", ""},
    {"qFileLoadAddress:61", ""},
    {"qGDBServerVersion", ""},
    {"qLaunchSuccess", ""},
    {"QEnableErrorStrings", ""},
    {"QSetDisableASLR:1", ""},
    {"QSetLogging:bitmask=LOG_ALL;", ""},
    {"QEnvironment:A=B", ""},
    {"QLaunchArch:x86_64", ""},
    {"QSaveRegisterState", ""},
    {"QRestoreRegisterState:1", ""},
    {"QSetDetachOnError:1", ""},
    {"QSyncThreadState:1", ""},
    {"QEnableCompression:type:none;", ""},
    {"jModulesInfo:[]", ""},
    {"jThreadExtendedInfo:1", ""},
    {"jGetLoadedDynamicLibrariesInfos:1", ""},
    {"jGetSharedCacheInfo:1", ""},
    {"jSignalsInfo", ""},
    {"_M100,rwx", ""},
    {"_m1000", ""},
    {"vStopped", ""},
    {"vNotified", ""},
    {"vStdio", ""},
    {"vFlashErase:1000,10", ""},
    {"vFlashWrite:1000:a", ""},
    {"vFlashDone", ""},
    {"vAttachWait;61", ""},
    {"vAttachOrWait;61", ""},
    {"vAttachName;61", ""},
    {"bs", ""},
    {"bc", ""},
    {"F0", ""},
    {"t1000", ""},
    {"i", ""},
    {"I", ""},
    {"d", ""},
    {"r", ""},
    {"u", ""},
    {"A1,0,61", ""},
    {"B1000,S", ""},
    {"qSupportedX", ""},
    {"QStartNoAckModeX", ""},
    {"qL1200000000000000000", ""},
    {"qfThreadInfoX", ""},
    {"", ""},
    {"q", ""},
    {"v", ""},
    {"\xff", ""},
};

enum {
    ROWS = sizeof(rows) / sizeof(rows[0]),
};

static void prepare(struct fake_machine *machine)
{
    fake_init(machine);
    for (unsigned i = 0; i < FAKE_PAGE; i++)
        machine->memory[FAKE_PAGE + i] = (uint8_t)i;
    memset(machine->memory + FAKE_MEMORY, 0xa5, FAKE_PAGE);
    machine->absent[2] = true;
    machine->read_only[5] = true;
    machine->refused_from = 0x6000;
    machine->refused_to = 0x7000;
    machine->constant[FAKE_CS] = true;
    fake_set(machine, 1, FAKE_RIP, 0x1000);
    fake_set(machine, 1, FAKE_RSP, 0x8000);
    fake_set(machine, 1, FAKE_CS, 0x10);
    fake_attach(machine);
}

static void each_packet_gets_its_reply(void **state)
{
    static struct fake_machine machine;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        prepare(&machine);
        const char *reply = fake_exchange(&machine, rows[i].request);
        if (strcmp(reply, rows[i].reply) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", rows[i].request, rows[i].reply, reply);
    }
}

/* A second time, with acknowledgements. */
static void each_packet_is_acknowledged(void **state)
{
    static struct fake_machine machine;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        prepare(&machine);
        machine.stub.no_ack = false;
        machine.output_length = machine.output_taken = 0;
        const char *reply = fake_exchange(&machine, rows[i].request);
        if (machine.output_length == 0 || machine.output[0] != '+')
            fail_msg("%s: not acknowledged", rows[i].request);
        if (strcmp(reply, rows[i].reply) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", rows[i].request, rows[i].reply, reply);
    }
}

/* A request that resumes or kills has no reply; every other has one, and it is a proper packet, or
 * fake_exchange() says what is wrong with it. */
static void each_truncated_packet_gets_one_reply(void **state)
{
    static struct fake_machine machine;
    char request[128];

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t len = 0; len < strlen(rows[i].request); len++) {
            snprintf(request, sizeof(request), "%.*s", (int)len, rows[i].request);
            prepare(&machine);
            const char *reply = fake_exchange(&machine, request);
            bool gone = machine.stub.running || !machine.stub.attached;
            if (strcmp(reply, "(none)") == 0 && !gone)
                fail_msg("%s: no reply", request);
        }
    }
}

static bool is_tested(const char *name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strncmp(rows[i].request, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

static void each_row_of_the_packet_table_is_tested(void **state)
{
    static const char *const names[] = {
#define PACKET(name, handler, when) name,
#include "gdbstub/packets.def"
#undef PACKET
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!is_tested(names[i]))
            fail_msg("%s has no row here", names[i]);
    }
}

/* The order of the rows does not matter: a name never goes on where another may end. */
static void no_request_is_for_two_rows(void **state)
{
    static const char *const names[] = {
#define PACKET(name, handler, when) name,
#include "gdbstub/packets.def"
#undef PACKET
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            size_t len = strlen(names[i]);
            if (i == k || strncmp(names[k], names[i], len) != 0)
                continue;
            if (len == 1 || strchr(":;,", names[k][len]) != NULL)
                fail_msg("%s and %s overlap", names[i], names[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_gets_its_reply),
        cmocka_unit_test(each_packet_is_acknowledged),
        cmocka_unit_test(each_truncated_packet_gets_one_reply),
        cmocka_unit_test(each_row_of_the_packet_table_is_tested),
        cmocka_unit_test(no_request_is_for_two_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
