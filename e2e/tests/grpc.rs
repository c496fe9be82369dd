//! gRPC as programs in Python speak it: the scripts of the guide, and the services that tools ask.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use e2e::{block, python};
use tempfile::TempDir;
use tributary_testkit::{
    process::{self, Daemon},
    wait,
};

const ADDRESS: &str = "127.0.0.1:50051";

struct Master {
    daemon: Daemon,
    address: String,
    home: TempDir,
}

impl Master {
    /// A master in a folder with the stubs that the guide makes.
    fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[])
    }

    fn start_in(home: TempDir, flags: &[&str]) -> Self {
        let log = home.path().join("log");
        let mut command = process::command("master", home.path());
        command.args(["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]);
        command.args(flags).stderr(File::create(&log).unwrap());
        let daemon = Daemon::start(command);
        let address = wait::until("the address of gRPC", || process::logged_address(&log, "gRPC"));
        let master = Self { daemon, address, home };
        let stubs = block("grpc.md", "sh", "grpc_tools.protoc");
        let (_, stubs) = stubs.split_once("pip install grpcio grpcio-tools\n").unwrap();
        master.shell(stubs);
        master
    }

    /// Runs lines of the guide, and returns what they print.
    fn shell(&self, lines: &str) -> String {
        let python = PathBuf::from(std::env::var_os("TRIBUTARY_E2E_PYTHON").unwrap());
        let programs = python.parent().unwrap().display();
        let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/grpc/protos");
        let output = Command::new("bash")
            .args(["-euc", lines])
            .current_dir(self.home.path())
            .env("PROTOS", protos)
            .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}{}", process::stdout(&output), process::stderr(&output));
        process::stdout(&output)
    }

    /// A script of the guide, for this master.
    fn script(&self, part: &str) -> String {
        let script = block("grpc.md", "python", part);
        assert!(script.contains(ADDRESS), "{script}");
        script.replace(ADDRESS, &self.address)
    }
}

#[test]
fn the_scripts_of_the_guide_print_what_it_says() {
    let master = Master::start();
    fs::write(master.home.path().join("totals.py"), master.script("ProcessCsv")).unwrap();
    let printed = master.shell(&block("grpc.md", "sh", "totals.py"));
    let expect = block("grpc.md", "text", "malformed");
    let (begin, rest) = expect.split_once("Department").unwrap();
    let (before, totals) = printed.split_once("Department").unwrap();
    // The file of totals has another name each time.
    let split =
        |lines: &str| lines.trim_end().rsplit_once('\n').map(|(head, name)| (head.to_owned(), name.ends_with(".csv")));
    assert_eq!(split(before), split(begin), "{printed}");
    assert_eq!(totals.replace('\r', ""), rest);
    let printed = python(&master.script("EditProduct"), &[], master.home.path());
    let expect = block("grpc.md", "text", "STAGE_COMPLETE");
    assert!(printed.ends_with(&expect), "{printed}");
}

#[test]
fn tools_find_the_services_and_their_health() {
    const SCRIPT: &str = "
import sys, grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from google.protobuf.descriptor_pool import DescriptorPool
channel = grpc.insecure_channel(sys.argv[1])
health = health_pb2_grpc.HealthStub(channel)
for name in ['', 'tributary.v1.Tributary', 'processor.CsvProcessor']:
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(health.Check(health_pb2.HealthCheckRequest(service=name), wait_for_ready=True).status))
found = ProtoReflectionDescriptorDatabase(channel)
print(sorted(name for name in found.get_services() if not name.startswith('grpc.')))
print(sorted(DescriptorPool(found).FindServiceByName('tributary.v1.Tributary').methods_by_name))
print(DescriptorPool(found).FindMessageTypeByName('processor.CsvChunk').fields_by_name['file_size_bytes'].number)
";
    let master = Master::start();
    let printed = wait::until("the master is ready", || {
        let printed = python(SCRIPT, &[&master.address], master.home.path());
        (!printed.contains("NOT_SERVING")).then_some(printed)
    });
    let methods = "['Aggregate', 'EditProduct', 'Follow', 'GetProduct', 'ListProducts', 'Upload']";
    let services = "['processor.CsvProcessor', 'tributary.v1.Tributary']";
    assert_eq!(printed, format!("SERVING\nSERVING\nSERVING\n{services}\n{methods}\n2\n"));
}

#[test]
fn a_call_that_its_client_cancels_or_lets_expire_leaves_nothing() {
    const SCRIPT: &str = "
import sys, threading, grpc
import processing_pb2 as p, processing_pb2_grpc
processor = processing_pb2_grpc.CsvProcessorStub(grpc.insecure_channel(sys.argv[1]))
def chunks(more):
    yield p.CsvChunk(data=b'h\\na,,1\\n')
    more.wait()
for end in [lambda call: call.cancel(), lambda call: None]:
    more = threading.Event()
    call = processor.ProcessCsv(chunks(more), timeout=2)
    end(call)
    try:
        list(call)
    except grpc.RpcError as error:
        print(error.code().name)
    more.set()
print(list(processor.ProcessCsv(iter([p.CsvChunk(data=b'h\\n\\xff,,1\\na,,2')])))[-1].summary.malformed_rows)
";
    let master = Master::start();
    let printed = python(SCRIPT, &[&master.address], master.home.path());
    assert_eq!(printed, "CANCELLED\nDEADLINE_EXCEEDED\n1\n");
    let results: Vec<_> = fs::read_dir(master.home.path().join("database.db.results")).unwrap().collect();
    assert_eq!(results.len(), 1, "{results:?}");
}

/// Guards against a client whose chunks are not those of the first one that was tried.
#[test]
fn chunks_may_have_any_size_and_end_anywhere() {
    const SCRIPT: &str = "
import csv, io, os, sys, grpc
import processing_pb2 as p, processing_pb2_grpc
processor = processing_pb2_grpc.CsvProcessorStub(grpc.insecure_channel(sys.argv[1]))
def send(text, size, announced=None):
    parts = [text[at:at + size] for at in range(0, len(text), size)]
    chunks = [p.CsvChunk(data=part, file_size_bytes=announced) for part in parts]
    return list(processor.ProcessCsv(iter(chunks)))[-1].summary
def check(text, size, malformed):
    sums = {}
    for row in list(csv.reader(io.StringIO(text.decode())))[1:]:
        if len(row) == 3:
            sums[row[0]] = sums.get(row[0], 0) + int(row[2])
    summary = send(text, size)
    with open(os.path.join(sys.argv[2], summary.result_file_name), newline='', encoding='utf-8') as file:
        totals = {row[0]: int(row[1]) for row in list(csv.reader(file))[1:]}
    assert totals == sums and summary.total_sales == sum(sums.values()), (size, totals, sums)
    assert summary.malformed_rows == malformed, (size, summary)
text = 'Department Name,Date,Number of Sales\\nToys,2026-05-01,3\\nVêtements,x,4\\n\"To\\nys\",x,5\\nMöbel,x,6'.encode()
for size in [1, 2, 3, 5, 1000]:
    check(text, size, 0)
    check(text + b'\\nToys,x', size, 1)
great = text + b'\\nToys,2026-05-01,3' * 2_000_000
for size in [32 << 20, 1 << 20]:
    check(great, size, 0)
print(send(b'', 1).rows_processed, send(b'h', 1).malformed_rows)
try:
    send(text, 7, len(text) + 1)
except grpc.RpcError as error:
    print(error.code().name)
";
    let master = Master::start();
    let results = master.home.path().join("database.db.results");
    let printed = python(SCRIPT, &[&master.address, results.to_str().unwrap()], master.home.path());
    assert_eq!(printed, "0 0\nDATA_LOSS\n");
}

/// Guards against half of a result, which nobody could tell from a whole one.
#[test]
fn a_kill_in_the_middle_of_streams_leaves_whole_results_only() {
    const SCRIPT: &str = "
import sys, threading, grpc
import processing_pb2 as p, processing_pb2_grpc
channel = grpc.insecure_channel(sys.argv[1])
processor = processing_pb2_grpc.CsvProcessorStub(channel)
rows = b'h\\n' + b''.join(b'd%05d,,1\\n' % number for number in range(20_000))
def endless():
    while True:
        yield p.CsvChunk(data=rows)
def run(chunks, times):
    try:
        for _ in range(times):
            name = list(processor.ProcessCsv(chunks()))[-1].summary.result_file_name
            # In one piece: other threads write, too.
            sys.stdout.write(name + '\\n')
            sys.stdout.flush()
    except grpc.RpcError:
        pass
short = lambda: iter([p.CsvChunk(data=rows)])
streams = [threading.Thread(target=run, args=one) for one in 4 * [(endless, 1)] + 4 * [(short, 1_000_000)]]
[stream.start() for stream in streams]
[stream.join() for stream in streams]
";
    let mut master = Master::start();
    let results = master.home.path().join("database.db.results");
    let mut command = Command::new(std::env::var_os("TRIBUTARY_E2E_PYTHON").unwrap());
    command.args(["-c", SCRIPT, &master.address]).current_dir(master.home.path()).stdout(Stdio::piped());
    let mut clients = command.spawn().unwrap();
    let told = BufReader::new(clients.stdout.take().unwrap()).lines();
    let told: Vec<_> = told.take(20).map(Result::unwrap).collect();
    master.daemon.kill();
    clients.wait().unwrap();
    let whole: String = (0..20_000).map(|number| format!("d{number:05},1\r\n")).collect();
    let whole = format!("Department Name,Total Number of Sales\r\n{whole}");
    let names = || fs::read_dir(&results).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_result = |name: &String| !name.starts_with('.');
    for name in names().filter(is_result) {
        assert_eq!(fs::read_to_string(results.join(&name)).unwrap(), whole, "{name}");
    }
    assert!(told.iter().all(|name| results.join(name).exists()), "a result that was told is gone");
    let again = Master::start_in(master.home, &[]);
    assert!(names().all(|name| is_result(&name)), "a part of a result is still there");
    let before = names().count();
    let script = "import sys, grpc, processing_pb2 as p, processing_pb2_grpc as g
processor = g.CsvProcessorStub(grpc.insecure_channel(sys.argv[1]))
print(list(processor.ProcessCsv(iter([p.CsvChunk(data=b'h\\na,,2')])))[-1].summary.total_sales)";
    assert_eq!(python(script, &[&again.address], again.home.path()), "2\n");
    assert_eq!(names().count(), before + 1);
}

#[test]
fn a_master_with_a_certificate_speaks_tls_only() {
    const CALL: &str = "
import sys, grpc
import processing_pb2 as p, processing_pb2_grpc
port = sys.argv[1].split(':')[1]
CHANNEL
print(list(processing_pb2_grpc.CsvProcessorStub(channel).ProcessCsv(iter([p.CsvChunk(data=b'h\\na,,2')])))[-1].summary.total_sales)
try:
    list(processing_pb2_grpc.CsvProcessorStub(grpc.insecure_channel('localhost:' + port)).ProcessCsv(iter([]), timeout=20))
except grpc.RpcError as error:
    print(error.code().name)
";
    let home = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "30",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .current_dir(home.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", process::stderr(&made));
    let master = Master::start_in(home, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let channel =
        block("grpc.md", "python", "ssl_channel_credentials").replace("localhost:50051\"", "localhost:\" + port");
    let printed = python(&CALL.replace("CHANNEL", &channel), &[&master.address], master.home.path());
    assert_eq!(printed, "2\nUNAVAILABLE\n");
}
