// Package demo plays the daemon's main job on real etcd processes, with an audience: a cluster forms, loses processes and
// instances, grows and shrinks, and a client writes all the while.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// Options say what is played, and to whom.
type Options struct {
	Rig   rig.Options
	Size  int    // of the cluster, 3 or more
	To    string // minor that it is upgraded to in the end; empty for none
	Plain bool   // lines, on a terminal too
	Out   io.Writer
	// After is called while the cluster still runs, when everything has held; nil for nothing.
	After func(context.Context, *rig.Rig)
}

// Delays of the cloud: short beside those of EC2, and long enough to be seen.
const (
	launchDelay   = time.Second
	shutdownDelay = 2 * time.Second
	readingTime   = 1500 * time.Millisecond // after each act, when someone watches
)

var errFailed = errors.New("not everything held")

// Run plays the demo. It fails unless everything held. It leaves no process behind; after a failure it leaves the logs.
func Run(ctx context.Context, o Options) (err error) {
	o.Rig.Cloud.LaunchDelay, o.Rig.Cloud.ShutdownDelay = launchDelay, shutdownDelay
	r, err := rig.Start(ctx, o.Rig)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() == nil && !errors.Is(err, syscall.EPIPE) {
			r.KeepDir()
			fmt.Fprintf(o.Out, "\nThe logs of the daemons are %s/i-*.log.\n", r.Dir())
		}
		err = errors.Join(err, r.Close())
	}()
	p := &play{rig: r, begun: time.Now(), writer: r.Write("demo/")}
	defer p.writer.Stop()
	checks, err := p.show(ctx, &o)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: everything is being stopped", context.Cause(ctx))
	}
	p.summarize(o.Out, checks, err)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if c.err != nil {
			return errFailed
		}
	}
	if o.After != nil {
		o.After(ctx, r)
	}
	return nil
}

// show performs the acts, and what it shows meanwhile depends on who watches. It ends early when nobody does any more.
func (p *play) show(ctx context.Context, o *Options) ([]check, error) {
	audience, pause := newTranscript(o.Out).run, time.Duration(0)
	if file := terminal(o); file != nil {
		audience, pause = newScreen(file).run, readingTime
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	watch, leave := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := audience(watch, p); err != nil {
			end(err)
		}
	})
	defer watching.Wait()
	defer leave()
	if err := p.perform(ctx, acts(o.Size, o.Rig.EtcdVersion, o.To), pause); err != nil {
		return nil, err
	}
	return p.checks(ctx, o.Size), nil
}

// terminal is the terminal to draw on, nil where there is none.
func terminal(o *Options) *os.File {
	file, ok := o.Out.(*os.File)
	if !ok || o.Plain || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return nil
	}
	return file
}
