module rack

go 1.24
