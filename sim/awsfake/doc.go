// Package awsfake is an AWS account in memory: auto-scaling groups, EC2
// instances and their metadata service, Route53 hosted zones and S3 buckets, as
// far as an etcd cluster on one group needs them.
//
// It is pure: no network, no goroutine, no wall clock, no global randomness.
// Time comes from Options.Now; everything that is due happens in Cloud.Advance;
// Cloud.NextEvent says when that is next needed. The same calls at the same
// times give the same answers, identifiers and hooks, which is what lets a
// failing simulation be replayed from its seed.
//
// Callers use it through client views (Cloud.EC2, AutoScaling, Route53, S3,
// IMDS) whose methods have the signatures of the AWS SDK for Go v2, so that the
// daemon's own adapters run on it: paging, error mapping and all.
//
// It is meant to be harsher than AWS, never kinder, in two ways. Options.Fault
// decides for every call whether it fails, fails after it took effect, takes
// effect late or twice, is answered from an old state, or leaves something out.
// Troubles are states of the account that last for a while and concern all
// callers but Options.Operator: limits, outages, refusals, replicas that lag,
// pages that fail, instances that are shown other than they are, metadata that
// is silent, launches that fail, zones that are busy or missing. They are off at
// first; each is switched on by a method of Cloud that says for how long, and
// Cloud.Calm ends all of them. Their ends are no events: nothing happens when one
// ends, the next call finds it gone.
package awsfake
