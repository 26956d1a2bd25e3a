package status

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// TestPicture: every state and every edge there is can be seen. To Leaving there is one arrow, from the frame around all the others.
func TestPicture(t *testing.T) {
	d := draw(states.Running, edgesOf(wonLeadership))
	for _, s := range states.States() {
		if _, ok := places[s]; !ok {
			t.Errorf("%s has no place", s)
		}
		if s != states.Leaving && !containsEdge(s, states.Leaving) {
			t.Errorf("the frame says that %s leads to Leaving", s)
		}
	}
	current, taken := 0, 0
	for _, b := range d.Boxes {
		if b.Current {
			current++
		}
	}
	for _, a := range d.Arrows {
		if a.Taken {
			taken++
		}
	}
	if len(d.Boxes) != 7 || current != 1 || taken != 2 || d.Leaves {
		t.Errorf("%d boxes, %d of them current, %d arrows taken, leaves %t", len(d.Boxes), current, taken, d.Leaves)
	}
	for _, e := range table {
		if e.To == states.Leaving {
			continue
		}
		shown := false
		for _, a := range d.Arrows {
			shown = shown || strings.HasPrefix(a.Title, fmt.Sprintf("%s to %s: ", e.From, e.To)) && strings.Contains(a.Title, string(e.On))
		}
		if !shown {
			t.Errorf("%v is not drawn", e)
		}
	}
}

func containsEdge(from, to states.State) bool {
	for _, e := range table {
		if e.From == from && e.To == to {
			return true
		}
	}
	return false
}

// TestPageEscapes what others have written: the names of members, and the last words of a server.
func TestPageEscapes(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	o := leading()
	o.Cluster.Members[1].Name, o.Cluster.Members[1].Alarm, o.Cluster.Members[1].Address = evil, evil, evil
	o.Process.Running, o.Process.Detail, o.Name = states.No, evil, evil
	o.Cluster.Upgrade.Halted = states.UpgradeLock{Owner: evil, Why: evil}
	b := newBoard()
	b.turn(o, &states.Decision{From: states.Running, To: states.Running, Why: evil, Reports: []string{evil}, Because: []string{evil}})
	got := get(t, b.Handler(), "/")
	body := got.Body.String()
	if strings.Contains(body, "<img") || strings.Count(body, "<script>") != 1 {
		t.Error("something is not escaped")
	}
	if strings.Count(body, "&lt;img") < 8 {
		t.Error("it is not shown at all, so nothing was tried")
	}
	for _, outside := range []string{"http://www", "https://", "src=\"", "@import", "url(http"} {
		if strings.Contains(body, outside) {
			t.Errorf("the page asks for something elsewhere: %s", outside)
		}
	}
	_, script, _ := strings.Cut(body, "<script>")
	script, _, _ = strings.Cut(script, "</script>")
	sum := sha256.Sum256([]byte(script))
	if base64.StdEncoding.EncodeToString(sum[:]) != scriptHash() || len(script) < 200 {
		t.Error("the policy forbids the page's own script: it is served as another than it is written")
	}
	policy := got.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sha256-"+scriptHash()) {
		t.Errorf("policy %q", policy)
	}
}

func TestPageShows(t *testing.T) {
	body := get(t, board().Handler(), "/").Body.String()
	for _, want := range []string{
		"LeadingHousekeeping", "leads a cluster in order", "i-b", "eu-central-1c", "3.7.3", "i-d is not in the group", "record that this member is a voter",
		`class="box current"`, "releaseetcd.example.org.", "not ready", `CN=i-a <span class="good">ends in 89d23h`, `<span class="warn">ends in 19d23h`, "prefers-color-scheme: dark",
	} {
		if has := strings.Contains(body, want); has != (want != "not ready") {
			t.Errorf("shows %q: %t", want, has)
		}
	}
	late := newBoard()
	late.turn(following(), follows)
	if body := get(t, late.Handler(), "/"); body.Code != http.StatusOK || !strings.Contains(body.Body.String(), "not asked") {
		t.Error("a follower does not say that it asks nobody")
	}
}
