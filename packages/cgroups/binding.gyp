{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'cgroups',
    'sources': [
      'native/binding.cc', 'native/ops.c', 'native/directory.c', 'native/create.c', 'native/device_program.c',
      'native/notify.c',
      '../sys/native/apply.c', '../sys/native/path.c', '../sys/native/procfs.c',
    ],
  }],
}
