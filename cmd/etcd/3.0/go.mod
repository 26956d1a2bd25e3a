module github.com/etcd-appliance/etcd-appliance/cmd/etcd/3.0

go 1.19

require (
	bitbucket.org/ww/goautoneg v0.0.0-00010101000000-000000000000
	github.com/beorn7/perks v0.0.0-20150223135152-b965b613227f
	github.com/boltdb/bolt v1.3.1
	github.com/cockroachdb/cmux v0.0.0-20160228191917-112f0506e774
	github.com/coreos/etcd v3.0.17+incompatible
	github.com/coreos/go-semver v0.0.0-20150304020126-568e959cd898
	github.com/coreos/go-systemd v0.0.0-20160826104600-43e4800a6165
	github.com/coreos/pkg v0.0.0-20160620232715-fa29b1d70f0b
	github.com/ghodss/yaml v0.0.0-20150909031657-73d445a93680
	github.com/gogo/protobuf v0.0.0-20160718161353-e18d7aa8f8c6
	github.com/golang/protobuf v0.0.0-20160608215545-8616e8ee5e20
	github.com/google/btree v0.0.0-20160524151835-7d79101e329e
	github.com/grpc-ecosystem/grpc-gateway v1.0.1-0.20160715013742-f52d055dc48a
	github.com/inconshreveable/mousetrap v1.0.0
	github.com/jonboulle/clockwork v0.0.0-20141017032234-72f9bd7c4e0c
	github.com/matttproud/golang_protobuf_extensions v0.0.0-20150406173934-fc2b8d3a73c4
	github.com/prometheus/client_golang v0.0.0-20151008143247-e51041b3fa41
	github.com/prometheus/client_model v0.0.0-20150212101744-fa8ad6fec335
	github.com/prometheus/common v0.0.0-20151014055050-ffe929a3f4c4
	github.com/prometheus/procfs v0.0.0-20150928173926-454a56f35412
	github.com/spf13/cobra v0.0.3
	github.com/spf13/pflag v1.0.3
	github.com/ugorji/go v0.0.0-20151028022000-f1f1a805ed36
	github.com/xiang90/probing v0.0.0-20160813154853-07dd2e8dfe18
	golang.org/x/crypto v0.0.0-20150218234220-1351f936d976
	golang.org/x/net v0.0.0-20160225202940-6acef71eb696
	golang.org/x/sys v0.0.0-20170303135930-e48874b42435
	google.golang.org/grpc v1.0.1-0.20160819002236-231b4cfea0e7
	gopkg.in/yaml.v2 v2.0.0-20150924142314-53feefa2559f
)

replace bitbucket.org/ww/goautoneg => github.com/munnerz/goautoneg v0.0.0-20190414153302-2ae31c8b6b30
