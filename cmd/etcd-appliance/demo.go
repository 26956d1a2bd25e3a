package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/demo"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// newDemoCommand plays the daemon's main job on real etcd processes.
func newDemoCommand() *cobra.Command {
	var c cloudFlags
	var keep, plain bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "watch real etcd processes form, repair and upgrade a cluster on loopback",
		Long: `Start an AWS of our own on loopback addresses, with an auto-scaling group whose
instances are processes of this daemon with real etcd beside them. Then kill,
terminate, scale out and scale in, and upgrade from the minor before if its server is
there too, while a client writes. It takes a minute, and fails unless every acknowledged write reads back and DNS is right at the end.`,
		Example: "  etcd-appliance demo\n  etcd-appliance demo --keep --etcd-version 3.6",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.size < 3 || c.size > 7 { // fewer cannot lose one, and more do not fit the screen
				return usageError{errorWithHint(fmt.Errorf("flag --cluster-size: %d is no size for the demo", c.size), "give 3, 5 or 7")}
			}
			ctx, release := holdSignals(cmd.Context())
			defer release()
			options, err := c.rigOptions(cmd)
			if err != nil {
				return err
			}
			o := demo.Options{Rig: options, Size: c.size, Plain: plain, Out: cmd.OutOrStdout()}
			if before, ok := c.before(options.EtcdDir); ok {
				o.Rig.EtcdVersion, o.To = before, options.EtcdVersion
			}
			if keep {
				o.After = func(ctx context.Context, r *rig.Rig) { stay(ctx, cmd.OutOrStdout(), r) }
			}
			return demo.Run(ctx, o)
		},
	}
	c.add(cmd.Flags())
	cmd.Flags().IntVar(&c.size, "cluster-size", 3, "how many instances the group has at first")
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the cluster running at the end, and tell how to play with it")
	cmd.Flags().BoolVar(&plain, "plain", false, "lines with times, on a terminal too")
	return cmd
}

// stay leaves everything running until the user has had enough.
func stay(ctx context.Context, out io.Writer, r *rig.Rig) {
	fmt.Fprintln(out, "\nThe cluster keeps running until Ctrl-C. To play with it:")
	printPlay(out, r)
	<-ctx.Done()
}
