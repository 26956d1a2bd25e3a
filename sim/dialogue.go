package sim

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

//go:embed testdata/dialogues/*.txt
var dialogueFiles embed.FS

// Scenario is a story of a group: what happens to it, one step after the other.
type Scenario struct {
	Name string
	Plan Plan   // with the story as its script, and without faults
	Text string // of the file, with what came of it
}

// Scenarios gives the stories of testdata/dialogues, in the order of their names.
func Scenarios() ([]Scenario, error) {
	files, err := dialogueFiles.ReadDir("testdata/dialogues")
	if err != nil {
		return nil, err
	}
	all := make([]Scenario, len(files))
	for i, f := range files {
		text, err := dialogueFiles.ReadFile(path.Join("testdata/dialogues", f.Name()))
		if err != nil {
			return nil, err
		}
		s := Scenario{Name: strings.TrimSuffix(f.Name(), ".txt"), Text: string(text)}
		if s.Plan, err = readScript(s.Text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		s.Plan.Scenario = s.Name
		all[i] = s
	}
	return all, nil
}

// readScript makes a plan of a dialogue. Lines up to "launch" or "cluster" say what the group is, the others are the script.
func readScript(text string) (Plan, error) {
	p := Plan{Seed: 1, Claim: "route53", Loss: states.HaltOnTotalLoss, Quiet: Span(2 * time.Minute), Only: []FaultEvent{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		words := wordsOf(line)
		if len(words) == 0 {
			continue
		}
		var err error
		if p.Nodes == 0 {
			err = p.set(words)
		} else if _, err = parseStep(words); err == nil {
			p.Script = append(p.Script, strings.Join(words, " "))
		}
		if err != nil {
			return p, fmt.Errorf("line %d: %q: %w", n, strings.TrimSpace(line), err)
		}
	}
	if !slices.Contains(p.Script, "stabilize") {
		return p, fmt.Errorf("no step is stabilize, so that nothing would have to become of it")
	}
	return p, nil
}

// wordsOf are the words of a step. What is behind a # is for people, and a line that begins with > tells what came of it.
func wordsOf(line string) []string {
	line, _, _ = strings.Cut(line, "#")
	if strings.HasPrefix(line, ">") {
		return nil
	}
	return strings.Fields(line)
}

// set reads a line that says what the group is.
//
//	seed 7 | hook | wants 3.6 (or 3.5, which leads to 3.7 too; or 2.3, which leads to 3.0) | claim s3 | total-loss new | replace-unhealthy 2m | regions 2 | routed | late c 5m | launch 3 | cluster 3
//
// "cluster 3" is "launch 3" and "wait whole", for stories that begin with a whole cluster; how it came about is not told.
func (p *Plan) set(words []string) error {
	switch len(words) {
	case 1:
		switch words[0] {
		case "hook":
			p.Hook = true
			return nil
		case "routed":
			p.Routed = true
			return nil
		}
	case 2:
		return p.setTo(words[0], words[1])
	case 3:
		late, err := time.ParseDuration(words[2])
		if words[0] == "late" && len(words[1]) == 1 && err == nil {
			p.Only = append(p.Only, FaultEvent{Kind: LateLaunch, Node: ordinalOf(words[1]), Site: "boot", Nth: 1, For: Span(late)})
			return nil
		}
	}
	return fmt.Errorf("no such line before launch")
}

func (p *Plan) setTo(what, value string) (err error) {
	switch what {
	case "seed":
		p.Seed, err = strconv.ParseUint(value, 10, 64)
	case "wants":
		p.Old, p.Long = value == oldServers[0].String(), value == longServers[0].String()
		p.Newer, err = p.newerFor(value)
	case "claim":
		p.Claim = value
	case "regions":
		if p.Regions, err = strconv.Atoi(value); err == nil && (p.Regions < 1 || p.Regions > len(regions)) {
			err = fmt.Errorf("there are %d regions", len(regions))
		}
	case "replace-unhealthy":
		var after time.Duration
		after, err = time.ParseDuration(value)
		p.Replace = Span(after)
	case "total-loss":
		p.Loss = states.TotalLoss(value)
	case "launch":
		p.Nodes, err = strconv.Atoi(value)
	case "cluster":
		p.Script = []string{"wait whole"}
		p.Nodes, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("no such line before launch")
	}
	return err
}

// never is when a configuration changes that does not change by itself.
const never = Span(1000 * time.Hour)

// newerFor is the Newer of a plan whose daemons want this minor from now on.
func (p *Plan) newerFor(minor string) (Span, error) {
	switch minor {
	case p.oldest().String():
		return never, nil
	case p.newest().String():
		return 0, nil
	}
	return 0, fmt.Errorf("the way is %v: want its begin or its end", p.servers())
}

// Instances are named by a letter in order of launch.

func ordinalOf(letter string) int { return int(letter[0]-'a') + 1 }

func (h *host) letter() string { return string(rune('a' + h.ordinal - 1)) }
