// Command etcd is the unmodified etcd 3.5.35 server, for the demo, the tests and the image.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
