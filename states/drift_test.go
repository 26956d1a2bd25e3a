package states

import (
	"testing"
	"time"
)

// TestDrift: what a leader would publish is what drifts, and without the facts of a leader nothing is known.
func TestDrift(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	config := Config{ClientPort: 2379, PeerPort: 2380, OnTotalLoss: HaltOnTotalLoss}
	facts := func(change func(*Observation)) *Observation {
		o := &Observation{
			Now: now, Name: "c",
			Group:   Group{Known: Yes, At: now, Instances: []Instance{{ID: "i-1", Address: "10.0.0.1", State: InstanceRunning, InGroup: true}}},
			Cluster: Cluster{Known: Yes, ID: 7, Asked: now, Members: []Member{{ID: 1, Name: "i-1", Address: "10.0.0.1", ClientURL: "http://10.0.0.1:2379", Health: Yes}}},
			DNS: DNS{Configured: true, Known: Yes, At: now, Zone: "example.org.", Records: []Record{
				{Name: "c.example.org.", Type: "A", TTL: recordTTL, Values: []string{"10.0.0.1"}},
			}},
		}
		change(o)
		return o
	}
	for what, c := range map[string]struct {
		change func(*Observation)
		want   Fact
	}{
		"as it should be":       {func(*Observation) {}, No},
		"somebody changed it":   {func(o *Observation) { o.DNS.Records[0].Values = []string{"10.0.0.9"} }, Yes},
		"it is not there":       {func(o *Observation) { o.DNS.Records = nil }, Yes},
		"no zone":               {func(o *Observation) { o.DNS.Configured = false }, Unknown},
		"the zone was not read": {func(o *Observation) { o.DNS.Known = Unknown }, Unknown},
		"the zone was read as long ago as a leader's are":      {func(o *Observation) { o.DNS.At = now.Add(-2 * time.Minute) }, No},
		"longer ago, by a leader of then":                      {func(o *Observation) { o.DNS.At = now.Add(-2*time.Minute - 1) }, Unknown},
		"the members were asked as long ago as a leader's are": {func(o *Observation) { o.Cluster.Asked = now.Add(-15 * time.Second) }, No},
		"longer ago":                  {func(o *Observation) { o.Cluster.Asked = now.Add(-15*time.Second - 1) }, Unknown},
		"the list was never read":     {func(o *Observation) { o.Cluster.Known = Unknown }, Unknown},
		"the cluster has no name yet": {func(o *Observation) { o.Name = "" }, Unknown},
		"no group":                    {func(o *Observation) { o.Group.Known = Unknown }, Unknown},
		"no quorum":                   {func(o *Observation) { o.Cluster.Known = No }, Unknown},
		"nobody to publish":           {func(o *Observation) { o.Cluster.Members[0].Health, o.DNS.Records = No, nil }, Unknown},
		"another's claim":             {func(o *Observation) { o.Claim = Claim{Store: ClaimInRoute53, Known: Yes, Exists: No} }, Unknown},
	} {
		got, records := facts(c.change).Drift(&config)
		if got != c.want || (len(records) > 0) != (c.want == Yes) {
			t.Errorf("%s: %s, %v; want %s", what, got, records, c.want)
		}
	}
}
