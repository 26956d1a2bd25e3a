package status

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
	"github.com/etcd-appliance/etcd-appliance/states"
)

const namespace = "etcd_appliance"

// counters are what adds up over the life of a daemon, and cannot be read from its last turn. All of them are lock-free once made, and
// those that the loop counts are made beforehand.
type counters struct {
	decisions   prometheus.Counter
	turns       prometheus.Histogram
	transitions map[states.Edge]prometheus.Counter
	perEdge     *prometheus.CounterVec
	aws         *prometheus.CounterVec
}

func newCounters() *counters {
	c := &counters{
		decisions: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "decisions_total", Help: "Decisions that said something new, as in the log.",
		}),
		turns: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "turn_duration_seconds", Help: "How long a turn of the decision loop took.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5},
		}),
		perEdge: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "transitions_total", Help: "Changes of state.",
		}, []string{"from", "to", "event"}),
		aws: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "aws_calls_total", Help: "Attempts of calls to AWS, by what came of them: ok, throttled or failed.",
		}, []string{"service", "action", "outcome"}),
		transitions: make(map[states.Edge]prometheus.Counter, len(table)),
	}
	for _, e := range table {
		c.transitions[e] = c.perEdge.WithLabelValues(string(e.From), string(e.To), string(e.On))
	}
	return c
}

func (c *counters) turned(took time.Duration, taken []states.Edge) {
	c.turns.Observe(took.Seconds())
	for _, e := range taken {
		c.transitions[e].Inc()
	}
}

// Called counts an attempt of a call to AWS. Any goroutine may call it.
func (b *Board) Called(service, action string, outcome awsclient.Outcome) {
	b.counters.aws.WithLabelValues(service, action, string(outcome)).Inc()
}

// Registry is what Prometheus reads. It is the daemon's own, so that nothing that is linked puts something into it.
func (b *Board) Registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		b.counters.decisions, b.counters.turns, b.counters.perEdge, b.counters.aws, gauges{b},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}
