package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// teller writes down what an engineer wants to know of a story: changes of state, of members, of DNS, of the claim and of the
// locks, one line each. What only repeats itself or follows from another line is left out.
type teller struct {
	*stage
	lines []said
	begun time.Duration     // of the step
	now   map[string]string // what was last said of each subject
}

// said is one line: when, who, and what.
type said struct {
	at        time.Duration
	who, what string
}

// Tell plays a scenario and gives its text with what came of each step, and an error if a step was not as the story has it.
func Tell(s *Scenario) (string, error) {
	t := &teller{now: map[string]string{}}
	w := newWorld(s.Plan, Options{Watch: t.entry})
	t.stage = w.stage()
	w.look = t.look
	w.launch()
	launched := false
	var out strings.Builder
	for line := range strings.Lines(s.Text) {
		line = strings.TrimRight(line, " \n")
		if strings.HasPrefix(line, ">") {
			continue
		}
		out.WriteString(line + "\n")
		words := wordsOf(line)
		switch {
		case len(words) == 0:
		case words[0] == "cluster":
			launched = true
			t.do("wait whole")
			t.lines = t.lines[:0]
			t.say("", "members: "+t.memberList())
		case words[0] == "launch":
			launched = true
		case launched:
			t.begun = w.now
			if t.do(strings.Join(words, " ")); t.err != nil {
				return out.String(), fmt.Errorf("%s: %w", line, t.err)
			}
		}
		t.tell(&out)
	}
	if w.violation != nil {
		return out.String(), w.violation
	}
	return out.String(), nil
}

// tell writes the lines of a step, those of one moment that say the same of several instances as one.
func (t *teller) tell(out *strings.Builder) {
	for i := 0; i < len(t.lines); i++ {
		l := t.lines[i]
		for ; i+1 < len(t.lines); i++ {
			if next := t.lines[i+1]; next.what != l.what || t.seconds(next) != t.seconds(l) {
				break
			} else if !strings.Contains(l.who, next.who) {
				l.who += " " + next.who
			}
		}
		out.WriteString(strings.TrimRight(fmt.Sprintf("> %7s  %-8s %s", t.seconds(l), l.who, l.what), " ") + "\n")
	}
	t.lines = nil
}

// seconds is when a line happened, since the step began.
func (t *teller) seconds(l said) string { return "+" + (l.at - t.begun).Round(time.Second).String() }

func (t *teller) say(who, what string) {
	t.lines = append(t.lines, said{t.world.now, who, t.renamed(what)})
}

// entry is told of everything that a trace shows.
func (t *teller) entry(e *Entry) {
	who := ""
	if e.Column >= 0 {
		who = t.nodes[e.Column].letter()
	}
	switch {
	case e.Sort == Changed, e.Sort == Happening && e.Column >= 0, e.Sort == Violated:
		if e.Text != "daemon starts" && e.Text != "instance goes down" {
			text, _, _ := strings.Cut(e.Text, " | ") // what is done shows in what comes of it
			t.say(who, text)
		}
	case e.Sort == Reported, e.Sort == FaultMade && e.Column >= 0:
		if t.now[who+e.Text] == "" {
			t.now[who+e.Text] = "said"
			t.say(who, map[bool]string{true: "reports: "}[e.Sort == Reported]+e.Text)
		}
	case e.Sort == Happening && (strings.HasPrefix(e.Text, "converged") || strings.HasPrefix(e.Text, "excused")):
		t.say("", strings.TrimSuffix(e.Text, " after 0s"))
	}
}

// look notes what has changed.
func (t *teller) look() {
	t.subject("members", t.memberList())
	t.subject("dns", t.sorted(t.published()))
	state, named, _ := strings.Cut(t.claim(), " ")
	t.subject("claim", strings.TrimSpace(state+" "+t.sorted(named)))
	t.subject("join lock", t.joining())
	t.subject("upgrade lock", t.upgrading())
	t.subject("upgrade halted", t.halted())
	if c := t.served(); c != nil {
		t.subject("cluster version", c.Version().String())
	}
}

func (t *teller) subject(name, is string) {
	if t.now[name] == is {
		return
	}
	t.now[name] = is
	if is == "" {
		is = "none"
	}
	t.say("", name+": "+is)
}

// memberList names the members: the leader has a star, and what is not a healthy voter says so.
func (t *teller) memberList() string {
	c := t.served()
	if c == nil {
		return ""
	}
	var list, minors []string
	for _, m := range c.Members() {
		s := t.letterOf(m.Key(), m.Address)
		server := c.Server(m.ID)
		switch {
		case m.ID == c.Leader():
			s += "*"
		case !m.Started():
			s += "(added)"
		case m.Learner:
			s += "(learner)"
		case !server.Known():
			s += "(down)"
		}
		if server.Known() {
			minors = append(minors, server.MinorOf().String())
			s += "/" + server.MinorOf().String()
		}
		list = append(list, s)
	}
	slices.Sort(list)
	text := strings.Join(list, " ")
	if slices.Sort(minors); len(slices.Compact(minors)) == 1 {
		text = strings.ReplaceAll(text, "/"+minors[0], "")
	}
	if !c.HasQuorum() {
		text += ", no quorum"
	}
	return text
}

// published is the address record.
func (t *teller) published() string {
	for _, r := range t.cloud.Records(t.zoneID) {
		if r.Type == "A" {
			return strings.Join(r.Values, " ")
		}
	}
	return ""
}

// sorted names instances by their letters, in order.
func (t *teller) sorted(instances string) string {
	return strings.Join(slices.Sorted(strings.FieldsSeq(t.renamed(instances))), " ")
}

func (t *teller) letterOf(key, address string) string {
	for i, id := range t.launched {
		if id == key || t.byID[id] != nil && t.byID[id].address == address {
			return t.hosts[i].letter()
		}
	}
	return "?"
}

var names = regexp.MustCompile(`i-[0-9a-f]{17}=|i-[0-9a-f]{17}|\b10\.[0-9]+\.[0-9]+\.[0-9]+|\b[0-9a-f]{15,16}\b`)

// renamed calls instances by their letters, and the members by those of their instances.
func (t *teller) renamed(text string) string {
	return names.ReplaceAllStringFunc(text, func(name string) string {
		if strings.HasSuffix(name, "=") {
			return ""
		}
		if letter := t.letterOf(name, name); letter != "?" {
			return letter
		}
		for _, c := range t.world.etcd.Clusters() {
			for _, m := range c.Members() {
				if fmt.Sprintf("%x", m.ID) == name {
					return t.letterOf(m.Key(), m.Address)
				}
			}
		}
		return name
	})
}
