package layouttest

import "slices"

// Layouts returns all layouts.
func Layouts() []Layout {
	return slices.Concat(terraform(), cloudformation(), awsJSON(), azure(), continuousIntegration(), httpClients(), tables(), xmlFiles(),
		configuration(), containers(), code(), prose(), passwordManagers(), buildServers(), services(), dumps(), furtherTables(), furtherLanguages(),
		places(), delimited(), encoded(), binaries())
}
