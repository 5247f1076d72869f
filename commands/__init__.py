"""What people may ask: `grammar` reads a line, `registry` lists the verbs, `verbs/` has one file for each, `dispatch`
authorises and handles, `reply` is what goes back."""
