// mutants tells how honest the tests are: it plants bugs in the product, one at a time, and sees which test notices. It is a
// developer's tool; the product knows nothing of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

func main() {
	o := &options{}
	flag.StringVar(&o.only, "only", "", "judge only mutants whose name matches this regular expression")
	flag.StringVar(&o.shard, "shard", "1/1", "judge a part of the mutants: i/n")
	flag.IntVar(&o.sample, "sample", 0, "take only so many of the automatic mutants, spread over all; 0 for all")
	flag.IntVar(&o.seeds, "seeds", 200, "how many seeds a mutant must outlive")
	flag.StringVar(&o.layers, "layers", strings.Join(layerNames, ","), "ask these layers only")
	flag.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "how many mutants are judged at a time")
	flag.StringVar(&o.json, "json", "", "write the outcome of every mutant to this file")
	flag.StringVar(&o.report, "report", "", "write the tables to this file instead of the terminal")
	flag.BoolVar(&o.automatic, "auto", true, "make the automatic mutants")
	flag.BoolVar(&o.planted, "planted", true, "plant the known bugs, the fakes that are too kind and the judges that are off")
	flag.StringVar(&o.dir, "dir", ".cache/mutants", "where mutants are built, and outcomes are kept")
	list := flag.Bool("list", false, "only tell the names of the mutants")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, *list); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options, list bool) error {
	var err error
	if o.root, err = os.Getwd(); err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if o.equivalent, err = readEquivalents(); err != nil {
		return err
	}
	all, left, err := o.plan()
	if err != nil {
		return err
	}
	if list {
		for _, m := range all {
			fmt.Printf("%s\t%s\n", m.Kind, m.Name)
		}
		return nil
	}
	if all, err = o.mine(all); err != nil {
		return err
	}
	l := &lab{root: o.root, dir: o.dir, mutants: all, binaries: map[string]string{}}
	say("%d mutants are woven in and built", len(all))
	if err := l.build(ctx); err != nil {
		return err
	}
	results, err := judgeAll(ctx, o, l)
	if err != nil {
		return err
	}
	return tell(o, results, left, len(l.dropped))
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
