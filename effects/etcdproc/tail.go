package etcdproc

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	tailPause  = time.Second
	logMax     = 16 << 20 // bytes; etcd.log is emptied once it is longer and has been read
	lineMax    = 64 << 10 // bytes; longer lines are passed on in pieces
	wordsLimit = 1 << 20  // bytes; a panic with the stacks of all goroutines fits
)

// tail reads what etcd writes to its log file and passes it on.
type tail struct {
	path string
	max  int64
	log  zerolog.Logger

	mu      sync.Mutex
	offset  int64 // read up to here
	run     int64 // where the words of this run begin
	partial []byte
}

// newTail begins at the end of the file: what was there before, an earlier daemon has passed on.
func newTail(path string, log zerolog.Logger) *tail {
	t := &tail{path: path, max: logMax, log: log}
	if info, err := os.Stat(path); err == nil {
		t.offset = info.Size()
	}
	return t
}

// follow passes lines on until closed.
func (t *tail) follow(closed <-chan struct{}) {
	tick := time.NewTicker(tailPause)
	defer tick.Stop()
	for {
		select {
		case <-closed:
			return
		case <-tick.C:
			t.drain()
		}
	}
}

// beginRun opens the log for a new process. Append mode is what lets the file be emptied under a running etcd: the kernel
// then seeks to the end before each write (open(2)), so that no hole is left.
func (t *tail) beginRun() (*os.File, error) {
	t.drain()
	t.mu.Lock()
	defer t.mu.Unlock()
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	t.run = t.offset
	return f, nil
}

// resumeRun notes where the words of an adopted process begin, unless the file was emptied since.
func (t *tail) resumeRun(offset int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if offset <= t.offset {
		t.run = offset
	}
}

func (t *tail) runStart() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.run
}

// drain passes on all that is there.
func (t *tail) drain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, err := os.Open(t.path)
	if err != nil {
		return // not yet written, or taken away: there is nothing to pass on
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() < t.offset { // someone else has emptied it
		t.offset, t.run, t.partial = 0, 0, nil
	}
	n, _ := io.Copy((*lines)(t), io.NewSectionReader(f, t.offset, 1<<62))
	t.offset += n
	if t.offset > t.max {
		t.empty()
	}
}

// empty begins the file anew. A line that etcd writes between the last read and here is lost; nothing but the log needs it.
func (t *tail) empty() {
	if err := os.Truncate(t.path, 0); err != nil {
		t.log.Warn().Err(err).Msg("cannot empty etcd's log")
		return
	}
	t.offset, t.run = 0, 0
}

// lastWords reads what this run has said, its last part if it was much.
func (t *tail) lastWords() words {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, err := os.Open(t.path)
	if err != nil {
		return words{}
	}
	defer f.Close()
	from := max(t.run, t.offset-wordsLimit)
	text, _ := io.ReadAll(io.NewSectionReader(f, from, wordsLimit))
	return readWords(string(text))
}

// lines is a tail as the writer that takes what was read.
type lines tail

func (l *lines) Write(p []byte) (int, error) {
	rest := append(l.partial, p...)
	for {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		if !found {
			break
		}
		passOn(l.log, line)
		rest = after
	}
	if len(rest) > lineMax {
		passOn(l.log, rest)
		rest = nil
	}
	l.partial = bytes.Clone(rest)
	return len(p), nil
}

// passOn logs one line of etcd at the level that etcd gave it.
func passOn(log zerolog.Logger, line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil {
		log.WithLevel(levelOfText(line)).Msg(string(line))
		return
	}
	level, _ := fields["level"].(string)
	msg, _ := fields["msg"].(string)
	for _, known := range []string{"level", "msg", "ts", "stacktrace"} {
		delete(fields, known)
	}
	log.WithLevel(levelOf(level)).Fields(fields).Msg(msg)
}

func levelOf(zap string) zerolog.Level {
	switch zap {
	case "debug":
		return zerolog.DebugLevel
	case "warn":
		return zerolog.WarnLevel
	case "error", "dpanic", "panic", "fatal": // the daemon itself does not end with etcd
		return zerolog.ErrorLevel
	default:
		return zerolog.InfoLevel
	}
}

// levelOfText reads "2016-05-09 11:15:23.143 I | etcdserver: ready", the format up to 3.3 (pkg capnslog formatters.go). What
// is not of that format is the usage text or a panic.
func levelOfText(line []byte) zerolog.Level {
	head, _, found := bytes.Cut(line, []byte(" | "))
	if !found || len(head) == 0 {
		return zerolog.WarnLevel
	}
	switch head[len(head)-1] {
	case 'D', 'T':
		return zerolog.DebugLevel
	case 'I', 'N':
		return zerolog.InfoLevel
	case 'E', 'C':
		return zerolog.ErrorLevel
	default:
		return zerolog.WarnLevel
	}
}
