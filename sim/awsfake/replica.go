package awsfake

import (
	"hash/fnv"
	"time"
)

// replicas are the copies that serve the reads of one service.
type replicas struct {
	service string
	lags    []time.Duration
	until   time.Time
}

// Replicate serves the reads of a service from copies of different lag for a
// while. Each read hits one of them, so two reads in a row may go back in time,
// and what was written a moment ago may not be seen. S3 and the metadata service
// are not concerned: S3 has been strongly consistent since 2020-12
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel).
// No lag is larger than Options.MaxStale.
//
// AWS bounds no lag and advises to keep asking for up to five minutes
// (https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html).
func (c *Cloud) Replicate(service string, lasts time.Duration, lags ...time.Duration) {
	c.troubles.replicas = append(c.troubles.replicas, replicas{service, lags, c.from(lasts)})
}

// lag is that of the replica that serves a call: it depends on the call alone,
// so that one call more changes nothing for the other callers.
func (c *Cloud) lag(call Call) time.Duration {
	for n := len(c.troubles.replicas) - 1; n >= 0; n-- {
		r := &c.troubles.replicas[n]
		if r.service == call.Service && len(r.lags) > 0 && c.still(r.until) {
			return r.lags[mix(hash(call.Caller+" "+call.Action)+uint64(call.Ordinal))%uint64(len(r.lags))]
		}
	}
	return 0
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
