// Package monitoring holds what a platform team gives to its Prometheus and its Grafana. docs/alerts.md is the runbook of the alerts.
package monitoring

import _ "embed" // both files

// Alerts are rules for Prometheus, in YAML. They take the scraping job for etcd-appliance, and a label cluster for that of one cluster.
//
//go:embed alerts.yaml
var Alerts []byte

// Dashboard is one for Grafana, in JSON.
//
//go:embed dashboard.json
var Dashboard []byte
