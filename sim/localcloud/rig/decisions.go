package rig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Decision is one line of a daemon's log: what it decided, and why.
type Decision struct {
	Instance string    `json:"-"`
	At       time.Time `json:"time"`
	From     string    `json:"from"` // states
	To       string    `json:"to"`
	Why      string    `json:"why"`
	Commands []string  `json:"commands"`
	Reports  []string  `json:"reports"` // what an operator should know
}

// logs remembers how far the daemons' logs have been read.
type logs struct {
	mu        sync.Mutex
	read      map[string]int64 // by file
	decisions []Decision
}

// Decisions lists what the daemons have decided so far. What is new since the last call comes last, in order of time.
func (r *Rig) Decisions() []Decision {
	l := &r.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read == nil {
		l.read = map[string]int64{}
	}
	files, _ := filepath.Glob(filepath.Join(r.options.Dir, "i-*.log")) // the pattern is not malformed
	var fresh []Decision
	for _, file := range files {
		fresh = append(fresh, l.more(file)...)
	}
	slices.SortStableFunc(fresh, func(a, b Decision) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Instance, b.Instance)) })
	l.decisions = append(l.decisions, fresh...)
	return slices.Clip(l.decisions)
}

// more reads the decisions that a log has got since the last time, whole lines only.
func (l *logs) more(file string) (list []Decision) {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, l.read[file], 1<<62))
	if err != nil {
		return nil
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	l.read[file] += int64(len(text))
	for line := range bytes.Lines(text) {
		var d struct {
			Decision
			Message string `json:"message"`
		}
		if json.Unmarshal(line, &d) == nil && d.Message == "decision" {
			d.Instance = strings.TrimSuffix(filepath.Base(file), ".log")
			list = append(list, d.Decision)
		}
	}
	return list
}

// LogFile is the log of an instance's daemon. It outlives the instance.
func (r *Rig) LogFile(instance string) string { return r.launcher.LogFile(instance) }
