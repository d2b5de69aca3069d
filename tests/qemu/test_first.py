def test_a(gdb_beating):
    g = gdb_beating
    print(g("bt"))
    print(g("break take_sample"))
    print(g.resume())
    print(g.functions())
    print(g("info locals"), g.evaluate("*after"), g.number("heartbeat.count"))
    print(g.resume("next"))
    print(g.resume("finish"))
    print(g.said)

def test_b(line):
    print(line.request("qSupported:swbreak+"))
    print(line.request("?"))
    print(line.request("g"))
    print(line.silence())
