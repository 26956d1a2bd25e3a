package agent

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// journal writes into a buffer that lines reads.
func journal(dryRun bool) (*Journal, *bytes.Buffer) {
	var b bytes.Buffer
	return NewJournal(zerolog.New(&b), dryRun, nil), &b
}

func lines(t *testing.T, b *bytes.Buffer) []map[string]any {
	t.Helper()
	var list []map[string]any
	for d := json.NewDecoder(b); d.More(); {
		line := map[string]any{}
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	return list
}

func waiting(why string) *states.Decision {
	return &states.Decision{From: states.Discovering, To: states.Discovering, Why: why}
}

// TestJournalFields: the names are what dashboards and runbooks search for.
func TestJournalFields(t *testing.T) {
	j, b := journal(false)
	j.Record(now, &states.Decision{
		From: states.Discovering, To: states.Running, Path: []states.Event{states.FoundData}, Because: []string{"found it"}, Why: "has data",
		Commands: []states.Command{states.RecordJoined{}, states.StopEtcd{Why: "x"}}, Reports: []string{"one", "two"},
	})
	j.Record(now, waiting("waits"))
	want := []map[string]any{
		{
			"level": "warn", "message": "decision", "from": "Discovering", "to": "Running", "because": []any{"found it"}, "why": "has data",
			"commands": []any{states.RecordJoined{}.String(), "stop etcd: x"}, "reports": []any{"one", "two"},
		},
		{"level": "info", "message": "decision", "from": "Discovering", "to": "Discovering", "why": "waits"},
	}
	if got := lines(t, b); !reflect.DeepEqual(got, want) {
		t.Errorf("writes\n%v\nwant\n%v", got, want)
	}
}

func TestJournalSaysThatItIsDry(t *testing.T) {
	j, b := journal(true)
	j.Record(now, waiting("waits"))
	if got := lines(t, b); len(got) != 1 || got[0]["dry_run"] != true {
		t.Errorf("writes %v", got)
	}
}

// TestJournalWritesWhatIsNew tells a row of decisions, and which of them are worth a line.
func TestJournalWritesWhatIsNew(t *testing.T) {
	start, stop := states.StartEtcd{Minor: states.MinorVersion{Major: 3, Minor: 7}}, states.StopEtcd{Why: "x"}
	with := func(why string, reports []string, commands ...states.Command) *states.Decision {
		d := waiting(why)
		d.Reports, d.Commands = reports, commands
		return d
	}
	j, b := journal(false)
	for i, c := range []struct {
		d     *states.Decision
		wrote bool
	}{
		{waiting("waits"), true},
		{waiting("waits"), false},
		{waiting("waits longer"), true},
		{with("waits longer", nil, start), true},
		{with("waits longer", nil, start), false}, // a command that is derived again and again is told once
		{with("waits longer", nil, start, stop), true},
		{with("waits longer", nil), false}, // that nothing is to be done any more is no news
		{with("waits longer", nil, start), true},
		{with("waits longer", []string{"a"}, start), true},
		{with("waits longer", []string{"a"}, start), false},
		{with("waits longer", []string{"a", "b"}, start), true},
		{with("waits longer", []string{"b"}, start), true},
		{with("waits longer", []string{"b"}), true},
		{with("waits longer", nil), true}, // a report that is gone is news
		{with("waits longer", nil), false},
		{waiting("waits"), true},
		{waiting("waits"), false},
	} {
		j.Record(now, c.d)
		if wrote := b.Len() > 0; wrote != c.wrote {
			t.Errorf("decision %d (%s, %v, %v): written %v, want %v", i, c.d.Why, c.d.Commands, c.d.Reports, wrote, c.wrote)
		}
		b.Reset()
	}
}

// TestJournalTellsOthers: who listens hears what is written, and nothing else.
func TestJournalTellsOthers(t *testing.T) {
	var heard []string
	var b bytes.Buffer
	j := NewJournal(zerolog.New(&b), false, func(at time.Time, d *states.Decision) {
		if !at.Equal(now) {
			t.Errorf("heard at %v", at)
		}
		heard = append(heard, d.Why)
	})
	for _, why := range []string{"a", "a", "b", "b", "a"} {
		j.Record(now, waiting(why))
	}
	if written := len(lines(t, &b)); len(heard) != 3 || written != 3 {
		t.Errorf("%d lines written, and heard %q", written, heard)
	}
}
