package states

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write what the rules decide into testdata/*.txt; read the diff, and keep it only if you can say for each line why it changed")

// TestGolden plays the dialogues of testdata. A dialogue is a story of one daemon: lines that start with a verb state facts
// (each verb of verbs has its examples), "step" takes a turn, and the lines that start with "> " are what was decided.
// Facts stay as they are until another line changes them; their ages grow with "tick".
//
// After a change of the rules, run
//
//	go test ./states -run TestGolden -rewrite
//
// and read the diff. It is the review of the change: accept a line only if you can say why it is better than the old one. A
// command that appears where the line before says "unknown", "silent" or "unread" is almost always a bug.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues in testdata, error %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := play(string(want))
			if err != nil {
				t.Fatalf("%s:%v", file, err)
			}
			if got == string(want) {
				return
			}
			if !*rewrite {
				t.Errorf("%s: other decisions than told there (to accept them: -rewrite, and read the diff)\n%s", file, diff(string(want), got))
			} else if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// play runs a dialogue and gives it with the decisions filled in.
func play(text string) (string, error) {
	var out strings.Builder
	d := newDialogue()
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, " \n")
		if strings.HasPrefix(line, ">") {
			continue
		}
		out.WriteString(line + "\n")
		said, err := d.say(line)
		if err != nil {
			return "", fmt.Errorf("%d: %q: %w", n, line, err)
		}
		out.WriteString(said)
	}
	return out.String(), nil
}

// say carries out one line. What is behind a # is for people.
func (d *dialogue) say(line string) (string, error) {
	line, _, _ = strings.Cut(line, " #")
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case name == "" || strings.HasPrefix(name, "#"):
		return "", nil
	case name == "step":
		return d.step()
	case verbs[name] == nil:
		return "", fmt.Errorf("no such verb")
	}
	return "", verbs[name](d, strings.TrimSpace(rest))
}

func (d *dialogue) step() (string, error) {
	o := d.o
	decision, err := d.machine.Step(&o)
	if err != nil {
		return "", err
	}
	return describe(&decision), nil
}

// describe prints a decision, a line for each thing that matters.
func describe(d *Decision) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, "> "+format+"\n", args...) }
	if len(d.Path) == 0 {
		say("%s: %s", d.To, d.Why)
	} else {
		say("%s -> %s (%s): %s", d.From, d.To, joinEvents(d.Path), d.Why)
	}
	for _, c := range d.Commands {
		say("  do %s%s", strings.ReplaceAll(c.String(), "."+testZone, ""), details(c))
	}
	for _, r := range d.Reports {
		say("  report %s", r)
	}
	say("  needs %s", describeNeeds(d.Needs))
	if d.Done {
		say("  done")
	}
	return b.String()
}

func joinEvents(path []Event) string {
	words := make([]string, len(path))
	for i, e := range path {
		words[i] = string(e)
	}
	return strings.Join(words, ", ")
}

// details are what a command's own sentence leaves out and an executor acts on.
func details(c Command) string {
	switch c := c.(type) {
	case StartEtcd:
		if c.State == ClusterRestart {
			return fmt.Sprintf(" (as %s at %s)", c.Name, c.Address)
		}
		return fmt.Sprintf(" (as %s at %s, token %s:%s)", c.Name, c.Address, c.Token, listMembers(c.Cluster))
	case UpdateClaim:
		return " (was " + c.Old.String() + ")"
	case PublishDNS:
		return describeSets("-", c.Old) + describeSets("+", c.New)
	}
	return ""
}

func listMembers(list []ClaimMember) string {
	s := ""
	for _, m := range list {
		s += " " + m.ID + "=" + m.Address
	}
	return s
}

func describeSets(sign string, sets []Record) string {
	s := ""
	for _, r := range sets {
		s += fmt.Sprintf("\n>      %s %s %s %d %s", sign, strings.TrimSuffix(r.Name, "."+testZone), r.Type, r.TTL, strings.Join(r.Values, ", "))
	}
	return s
}

func describeNeeds(n Needs) string {
	var parts []string
	add := func(what string, age time.Duration) {
		if age > 0 {
			parts = append(parts, what+" "+age.String())
		}
	}
	add("group", n.Group)
	add("zone", n.Zone)
	add("peers", n.Peers)
	add("cluster", n.Cluster)
	if n.Wide {
		parts = append(parts, "wide")
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// diff shows the lines from the first that differs, a few of each side.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	first := 0
	for first < len(w) && first < len(g) && w[first] == g[first] {
		first++
	}
	show := func(sign string, lines []string) string {
		s := ""
		for i := first; i < min(first+12, len(lines)); i++ {
			s += fmt.Sprintf("%s %d: %s\n", sign, i+1, lines[i])
		}
		return s
	}
	return show("-", w) + show("+", g)
}
