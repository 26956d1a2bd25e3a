package etcdproc

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// end is how a process ended, as far as its parent can tell.
type end struct {
	known  bool // only of a child
	code   int
	signal syscall.Signal // 0 when it exited by itself
}

func endOf(state *os.ProcessState) end {
	if state == nil {
		return end{}
	}
	e := end{known: true, code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.signal = status.Signal()
	}
	return e
}

func (e end) String() string {
	switch {
	case !e.known:
		return "ended, its exit status is not known"
	case e.signal != 0:
		return fmt.Sprintf("ended by signal %d (%s)", int(e.signal), e.signal)
	default:
		return fmt.Sprintf("exit status %d", e.code)
	}
}

// words are what a run of etcd said that may tell why it ended.
type words struct {
	dying   string // records of a fatal level, and all that is not a record: panics, stacks, usage
	removed string // the record saying that the cluster has removed this member
	last    string // for people: what it died with, or else its last warning
}

// record is one line of etcd's log.
type record struct {
	Level string `json:"level"`
	Msg   string `json:"msg"`
	Error string `json:"error"`
}

func (r record) String() string {
	if r.Error == "" {
		return r.Msg
	}
	return r.Msg + ": " + r.Error
}

// fatal tells whether etcd ends with this record. It ends with a mere warning on flags it cannot use (etcdmain/etcd.go).
func (r record) fatal() bool {
	return r.Level == "fatal" || r.Level == "panic" || r.Msg == "failed to verify flags" || r.Msg == "failed to start"
}

// textRecord is a record as servers up to 3.3 write it: "2016-05-09 11:15:23.143 C | etcdmain: ...".
var textRecord = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([A-Z]) \| (.*)$`)

// readRecord reads a line of the log; false when it is none.
func readRecord(line string) (record, bool) {
	var r record
	if json.Unmarshal([]byte(line), &r) == nil || r.Msg != "" {
		return r, true
	}
	m := textRecord.FindStringSubmatch(line)
	if m == nil {
		return record{Msg: line}, false
	}
	return record{Level: map[string]string{"C": "fatal", "E": "error", "W": "warn"}[m[1]], Msg: m[2]}, true
}

func readWords(text string) words {
	var w words
	var dying strings.Builder
	final := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		r, isRecord := readRecord(line)
		if w.removed == "" && removed.MatchString(r.String()) {
			w.removed = r.String()
		}
		speaks := isRecord && r.fatal() || !isRecord && speaking.MatchString(line)
		if !isRecord || r.fatal() || strings.HasPrefix(r.Msg, "etcdmain: ") { // which up to 3.3 tells some ends as mere information
			dying.WriteString(r.String() + "\n")
		}
		if !final && (speaks || r.Level == "warn" || r.Level == "error") {
			w.last, final = r.String(), speaks
		}
	}
	w.dying = dying.String()
	return w
}

// speaking is the first line of a panic, of a runtime error, or of a complaint about flags.
var speaking = regexp.MustCompile(`^panic: |^fatal error: |^unexpected fault address|^flag provided but not defined`)

// The texts by which etcd says why it ends. They are the same from 2.3 to 3.7 unless noted.
var (
	// rafthttp/util.go errMemberRemoved, etcdserver/server.go run and applyConfChange; from 3.5 on the panic of a server that is asked
	// how it is in the second between its removal and its end (v3rpc/maintenance.go Status, membership/cluster.go IsLocalMemberLearner).
	removed = oneOf(
		`failed to find local ID in cluster members`,
		`the member has been permanently removed from the cluster`,
		`data-dir used by this member must be removed`)

	// etcdserver/bootstrap.go bootstrapNewClusterNoWAL.
	bootstrapped = oneOf(`has already been bootstrapped`)

	// etcdserver/bootstrap.go bootstrapExistingClusterNoWAL, membership/cluster.go ValidateClusterAndAssignIDs,
	// server/config VerifyBootstrap.
	stale = oneOf(
		`member count is unequal`,
		`no match found for existing member`,
		`unmatched member while checking PeerURLs`, // up to 3.3
		`couldn't find local name`,
		`cannot fetch cluster info from peer urls`)

	refused = oneOf(
		`flag provided but not defined`,
		`failed to verify flags`,
		`failed to start: `, // --initial-cluster does not include this member
		`is shadowed by corresponding command-line flag`,
		`--initial-cluster has .* but missing from --initial-advertise-peer-urls`,
		`initial cluster .* has duplicate url`,
		`expected IP in URL for binding`,
		`address already in use`,
		`cannot assign requested address`,
		// The version does not fit the data or the cluster. None of these is damage: the right server reads the data.
		`incomp(at|t)ible with current running cluster`, // 2.3 misspells it
		`detected disallowed (custom content|v2 WAL)`,   // leftover v2 data, 3.6 and later
		`too many learner members in cluster`,           // membership/cluster.go ValidateMaxLearnerConfig
		`unmarshal should never fail`,                   // entries of an older minor; the log's own checksum was right
	)

	// The data says that its cluster has risen above this server.
	newer = oneOf(
		`experimental-v3demo cannot be disabled`,    // 2.3, which has no database, on data of 3.0 or later (2.3.8 etcdserver/server.go NewServer)
		`invalid downgrade`, `cannot be downgraded`, // version/downgrade.go
		`version "[^"]*" is not supported`) // storage/schema/schema.go, 3.6 and later

	// Trouble of the machine. It passes, and says nothing about the data.
	machine = oneOf(
		`no space left on device`, `disk quota exceeded`, `read-only file system`, `permission denied`,
		`operation not permitted`, `input/output error`, `too many open files`, `cannot allocate memory`, `file already locked`)

	corrupt = oneOf(
		// The log: storage/wal (3.5: wal). Seen on logs with bytes changed.
		`crc mismatch`,
		`wal: (conflicting metadata found|file not found|snapshot mismatch|snapshot not found|slice bounds out of range|file sequence numbers)`,
		`failed to read WAL, cannot be repaired`, `failed to repair WAL`, `unexpected block type`, `max entry size limit exceeded`,
		`(?m)^discovery failed: proto:`, // a record that cannot be decoded (a no-break space may follow: protobuf internal/errors)
		`cannot use none as id`,         // 3.5: a log without the member's identity
		// The database: etcdserver/bootstrap.go recoverSnapshot, storage/backend newBackend over bbolt/db.go Open.
		`failed to recover v3 backend from snapshot`, `failed to find database snapshot file`, `database snapshot file path error`,
		`database file .* does not match with snapshot`, `database file .* of the backend is missing`,
		`failed to open database: (invalid database|checksum error|version mismatch|file size too small|unexpected EOF)`,
		`failed to recover store from backend`, `range failed to find revision pair`, `failed to unmarshal mvccpb.KeyValue`,
		`invalid revision length`, `invalid separator in bucket key`,
		// The replicated log does not fit together: raft/log.go, raft/raft.go loadState.
		`tocommit\(\d+\) is out of range`, `state\.commit \d+ is out of range`, `applied\(\d+\) is out of range`,
		`conflict with committed entry`, `unexpected committed entry index`,
		// etcdserver/corrupt.go InitialCheck, when that check is on.
		`found data inconsistency with peers`)

	// bbolt panics, and faults on the pages that a file cut short no longer has, are told by the goroutine that died: its first
	// frame outside the runtime is bbolt's.
	diedInBolt = regexp.MustCompile(`(?m)^goroutine \d+ [^\n]*\[running[^\n]*\]:\n(?:(?:runtime\.|panic\()[^\n]*\n\t[^\n]*\n)*(?:go\.etcd\.io/bbolt|github\.com/(?:coreos/bbolt|boltdb/bolt))`)
	// A frame of the log whose length makes no sense. 3.0 writes frames that are so for 2.3 (wal/decoder.go; seen on 2.3.8).
	badFrame = regexp.MustCompile(`(?m)^panic: runtime error: makeslice: len out of range\n\ngoroutine [^\n]*\n\S*/wal\.\(\*decoder\)`)
	// Reading a transaction after its end is a mistake of the program, not of the file (bbolt cursor.go).
	txClosed = regexp.MustCompile(`assertion failed: tx closed`)
)

func oneOf(texts ...string) *regexp.Regexp { return regexp.MustCompile(strings.Join(texts, "|")) }

// classify tells why etcd ended. asked says that it was told to stop. In doubt it is a crash, which is answered by a restart:
// never is data given up for a reason that was not understood.
func classify(e end, asked bool, w words) (states.ExitReason, string) {
	detail := e.String()
	if w.last != "" && e.signal == 0 {
		detail += ": " + shorten(w.last)
	}
	switch exitedByItself := e.known && e.signal == 0; {
	case w.removed != "":
		return states.ExitRemoved, e.String() + ": " + shorten(w.removed)
	case asked:
		return states.ExitStopped, "stopped as asked, " + e.String()
	case exitedByItself && e.code == 0:
		return states.ExitRemoved, detail // etcd exits with 0 for no other reason (etcdmain/etcd.go)
	case e.known && !exitedByItself:
		return states.ExitCrash, detail
	case bootstrapped.MatchString(w.dying):
		return states.ExitBootstrapped, detail
	case stale.MatchString(w.dying):
		return states.ExitStale, detail
	case newer.MatchString(w.dying):
		return states.ExitNewer, detail
	case refused.MatchString(w.dying):
		return states.ExitRefused, detail
	case machine.MatchString(w.dying):
		return states.ExitCrash, detail
	case corrupt.MatchString(w.dying), badFrame.MatchString(w.dying), diedInBolt.MatchString(w.dying) && !txClosed.MatchString(w.dying):
		return states.ExitCorrupt, detail
	default:
		return states.ExitCrash, detail
	}
}

const detailMax = 300 // bytes

// shorten leaves out the middle: etcd's errors say what was done first, and what was wrong last.
func shorten(s string) string {
	if len(s) <= detailMax {
		return s
	}
	return strings.ToValidUTF8(s[:detailMax/2]+" … "+s[len(s)-detailMax/2:], "")
}
