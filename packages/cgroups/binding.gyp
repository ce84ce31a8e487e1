{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'cgroups',
    'sources': [
      'native/binding.cc', 'native/ops.c', 'native/directory.c', 'native/create.c', 'native/device_program.c',
      'native/read.c', 'native/tree.c',
      'native/notify.c', 'native/placeholder.c', 'native/start.c',
      '../sys/native/apply.c', '../sys/native/execute.c', '../sys/native/path.c', '../sys/native/procfs.c',
    ],
  }],
}
