module github.com/etcd-appliance/etcd-appliance/cmd/etcd/2.3

go 1.19

require github.com/coreos/etcd v2.3.8+incompatible
