package awsfake

import (
	"context"
	"time"

	"github.com/aws/smithy-go"
)

// Call names one API call. Caller, Action and Ordinal together identify it
// across replays, so a fault plan can refer to it.
type Call struct {
	Caller  string // as given to Cloud.EC2 and its like; the instance ID for IMDS
	Service string // ec2, autoscaling, route53, s3 or imds
	Action  string // as in the API, such as DescribeInstances
	Region  string // that is asked; empty: all of them at once, as only the one who runs the account can
	Ordinal int    // how many-th such call of this caller, from 1
	Input   any    // the SDK's input, not to be changed
	Late    bool   // it takes effect after its caller gave up; Options.Log only
}

// Fault is what goes wrong with one call.
type Fault struct {
	Err        error         // returned instead of an answer
	Apply      bool          // the effect takes place although Err is returned
	ApplyAfter time.Duration // the effect takes place that long after Err was returned
	Again      bool          // the request arrives twice, and what is returned is the answer to the second
	Stale      time.Duration // a read is answered from the state that long ago, at most Options.MaxStale
	OmitNewest bool          // lists leave out the instance launched last
	Omit       []string      // lists leave out these instance IDs
	PageSize   int           // bound of the page, if not 0
	Edit       func(any)     // changes the answer, a pointer to the SDK's output
}

type callKey struct{ caller, action string }

// request is one call being served.
type request struct {
	*Cloud
	call  Call
	fault Fault
	view  *state // what a read sees; writes use Cloud.state
}

// serve runs one call: counted, faulted, applied, logged.
func serve[In, Out any](ctx context.Context, c *Cloud, call Call, in *In, apply func(*request, *In) (*Out, error)) (*Out, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	call = c.begin(call, in)
	r := &request{Cloud: c, call: call, fault: c.faultOf(call)}
	r.view = c.asOf(r.fault.Stale)
	out, err := (*Out)(nil), r.fault.Err
	if err == nil || r.fault.Apply {
		out, err = apply(r, in)
		if r.fault.Again {
			out, err = apply(r, in)
		}
		c.advanceGroups(c.opt.Now())
		c.remember()
	} else if r.fault.ApplyAfter > 0 {
		c.arriveLater(r, func() error { _, err := apply(r, in); return err })
	}
	if r.fault.Err != nil {
		out, err = nil, r.fault.Err
	}
	if err == nil && r.fault.Edit != nil {
		r.fault.Edit(out)
	}
	if c.opt.Log != nil {
		c.opt.Log(call, err)
	}
	return out, err
}

// faultOf is what goes wrong with one call: what Options.Fault says, and on its
// way to the service the troubles.
func (c *Cloud) faultOf(call Call) (f Fault) {
	if c.opt.Fault != nil {
		f = c.opt.Fault(call)
	}
	reaches := f.Err == nil || f.Apply || f.ApplyAfter > 0
	if !reaches || c.opt.Operator != "" && call.Caller == c.opt.Operator {
		return f
	}
	if err := c.refusal(call); err != nil {
		return Fault{Err: err}
	}
	if f.Stale == 0 {
		f.Stale = c.lag(call)
	}
	if f.Edit == nil {
		f.Edit = c.garbled(call)
	}
	return f
}

// begin gives the call its number.
func (c *Cloud) begin(call Call, in any) Call {
	key := callKey{call.Caller, call.Action}
	c.calls[key]++
	call.Ordinal, call.Input = c.calls[key], in
	return call
}

// CallCount tells how often the caller made a call of that action; an empty
// caller stands for all of them.
func (c *Cloud) CallCount(caller, action string) int {
	if caller != "" {
		return c.calls[callKey{caller, action}]
	}
	sum := 0
	for key, n := range c.calls { // in any order: a sum of integers
		if key.action == action {
			sum += n
		}
	}
	return sum
}

// omitted tells whether the fault hides an instance from lists.
func (r *request) omitted(id string) bool {
	if n := len(r.view.instances); r.fault.OmitNewest && n > 0 && r.view.instances[n-1].ID == id {
		return true
	}
	for _, o := range r.fault.Omit {
		if o == id {
			return true
		}
	}
	return false
}

// pageSize is the smallest of the bounds that are set: what the caller asked
// for, the service's own, the cloud's and the fault's.
func (r *request) pageSize(asked *int32, service int) int {
	n := service
	bounds := [...]int{0, r.opt.PageSize, r.fault.PageSize, r.pageBound()}
	if asked != nil {
		bounds[0] = int(*asked)
	}
	for _, b := range bounds {
		if b > 0 && b < n {
			n = b
		}
	}
	return n
}

// Error returns an API error as the SDK gives it to errors.As.
func Error(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
}
