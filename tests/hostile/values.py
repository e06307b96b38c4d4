"""Values that options do not take, by what they are."""

from tests.hostile.case import LONG, words

SIZES = (
    *words("""
        0x3x8x8 3x0x0 0 3x-1x8 -3x8x8 3xx8 x 3x8x8x 3*8*8 3x999999999999x99999999999
        99999999999x9999999999 9999999999x9999999999x9999999999:float32 1x3x8x8:int3 3y8y8 tokens: : ::
        a:b:c 1x3x8x8:float32: scalar: scalar x:1x3:int64 1e3x3x3 3.5x2x2 nan 2147483648x1x1
        3x2147483648x1 nosuch.py:it os:getcwd nosuch:it mine.py mine.py: inception_v3 3x299
        9999999999x1x1x1
    """),
    *("3 x 8 x 8", "٣x٨x٨", "1x" * 499 + "1x1", "1" * 4000, "3x8x8\n", "\n3x8x8", "3x8x8\x00"),
)
NUMBERS = (
    *words("""
        0 -1 -0 1e3 nan inf 1.5 0x10 10**9 99999999999999999999999 1_0 one 2147483648
        9223372036854775808 -9223372036854775809 + ++1 true None
    """),
    *("٣", "½", "9" * 5000, "1 2", "\t1"),
)
NAMES = (
    *words("""
        nosuch Flops fvcore,thop ../fvcore fvcore.toml /etc/passwd __init__ README
    """),
    *("flops ",),
)
PATHS = (
    *words("""
        / . .. x/ nosuch/x a/b/c/d /dev/full/x /proc/x /proc/1/x x.exe x.png.exe ~nosuch/x x.JSON/
        ../../../precious/x
    """),
    *("", "\x00", "a\x00b", LONG, "\x00.json", "x\x00.png"),
)
SOURCES = (
    *words("""
        nosuch synthetic: synthetic:x digits:3 folder folder: folder:nosuch cifar10 cifar10:
        cifar10:nosuch cifar100:/dev/null folder:/dev/zero FOLDER:. folder:~nosuch folder:. folder:..
        http://x/y folder:/proc/1/root Synthetic
    """),
    *("", " ", "folder:\x00", f"folder:{LONG}", "synthetic ", "folder:\n", "cifar10:\x1b[31m"),
)
DEVICES = (
    *words("""
        gpu cpu:3 cpu:0:0 cuda:99 cuda:-1 cuda:x CPU meta mps xla tpu cuda:
    """),
    *("", " ", "\x00"),
)
DEVICE_FILES = (
    *words("nosuch.csv . / /dev/zero /dev/null /proc/self/mem precious mine.py x/ nosuch/x.csv"),
    *("", "\x00", f"{LONG}.csv", "\x1b[31m.csv"),
)
CALIBRATIONS = (
    *words("nosuch.json . / /dev/zero /dev/null /proc/self/mem precious mine.py x/ nosuch/x.json"),
    *("", "\x00", f"{LONG}.json", "\x1b[31m.json"),
)
URLS = (
    *words("""
        nosuch sqlite:///x.db sqlite:// postgresql:// postgresql://nosuch.invalid/x mysql://x http://x
        :// sqlite:////precious postgresql://user:secret@127.0.0.1:1/x postgresql://[::1
    """),
    *("", "\x00", "a" * 3000),
)
AMOUNTS = (
    *words("-1 -6e9 1.5 6e 6e-1 nan inf 1__0 0x10 10**9 1e999 6,00 one True None +-1 6%"),
    *("", "٣", "½", "9" * 5000, "1 2", "\x1b[31m6"),
)
RATES = (
    *words("0 0.0 -1 -9.5 nan inf 9,5 1e-99 1e99 1e999 0x10 1__0 one True None 9.5/s 1/3 9.5W 7%"),
    *("", "٣", "9" * 5000, "1 2", "9.5\x00", LONG),
)
SHARES = (*RATES, "1.0001", "2", "76", "7.6%", "1e3", "1k")
PERCENTS = (
    *words("1 0.01 -1% 1%% % %1 1e2% nan% 1,5% .5% inf% one% ٣%"),
    *("", "9" * 5000 + "%", "1%\x00"),
)
PARTS = (
    *words("0 1 -1 2 50 0% 100% 101% -5% 50%% % %50 nan inf 5e-1 0x1 half 1/2 0,5 0.5.5 .% True None"),
    *("", "9" * 5000, "0." + "9" * 5000, "0.5\x00", "0.5\n", "٣%", "1  %%", LONG, "\x1b[31m50%"),
)
PATTERNS = (*words("nosuch nosuch.* B5X5 [ [!a-z] b5x5. .b5x5 ?"), "", " ", "\x00", LONG, "\x1b[31m", "*\n")
WEIGHTS = (
    *words("nosuch.safetensors . / /dev/zero /dev/null /proc/self/mem precious mine.py x/ nosuch/x.pt"),
    *("", "\x00", f"{LONG}.safetensors", "\x1b[31m.safetensors"),
)
RULES = (
    *words(
        "nosuch pich PINCH all pinch,pinch pinch,nosuch pinch, , pinch;large-kernel large_kernel * stem.*"
    ),
    *("", " ", "\x00", "pinch\x00", LONG, "\x1b[31m", "pinch,\n", "pinch," * 3000),
)
REFERENCES = (
    *words(
        ". .. / nosuch nosuch.json /dev/zero /dev/null /dev/full /proc/self/mem precious nosuch.py:it stem"
    ),
    *("", "\x00.json", f"{LONG}.json", LONG, "os:getcwd", "inception_a:x=3"),
)
VARIED = (
    *words(
        "pool= pool =1 pool=1:0 pool=1:2:0 pool=0 pool=-1 pool=nan pool=1,1 pool=1: pool=:: nosuch=1 pool==1"
    ),
    *words("pool=1:999999999999 pool=1e3 pool=1,,2 pool=(1,2) input=0 input=1.5 large large=3 POOL=1 *=*"),
    *("", " ", "pool=" + "9" * 5000, "pool=\x1b[31m", "pool=1\x00", f"{LONG}=1", "pool=" + "1," * 3000),
)
CONDITIONS = (
    *words("nosuch<5 pool pool<0 pool<<3 f(pool)<3 pool.real<3 [pool]<3 lambda:pool<3 pool=3 1<2<x"),
    *("", " ", "pool <", "__import__('os').system('touch pwned') < 1", "(" * 2000 + "pool", "pool < \x00"),
    *("open('pwned', 'w') < 1", "pool < 3; import os", "pool ** 9999999999 < 3", "pool < 1 // 0", LONG),
)
EXPRESSIONS = (
    *words("nosuch f(pool) parameters*activations parameters<3 pool**pool parameters**2 parameters/0"),
    *("", " ", "parameters +", "__import__('os')", "(" * 2000 + "pool", "parameters\x00", LONG, "'a'"),
)
SPACES = (
    *words("nosuch.toml . / /dev/zero /dev/null /proc/self/mem precious mine.py x/ nosuch/x.toml"),
    *("", "\x00", f"{LONG}.toml"),
)
SYMBOLS = (
    *words("""
        nosuch width,width C,H,W,D , 9 C-H C;H __class__ lambda
    """),
    *(" , ", "C" * 3000, "\x00", "C\nH"),
)
